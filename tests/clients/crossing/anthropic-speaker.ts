/** Anthropic's SDK. */
import Anthropic from "@anthropic-ai/sdk";
import { CALL_TIMEOUT_MS, type Heard, SHELL, type Speaker } from "./dialogue.ts";

const MODEL = "claude-haiku-4-5";
const TOOL: Anthropic.Tool = {
  name: SHELL.name,
  description: SHELL.description,
  input_schema: SHELL.schema,
};

function heard({ content, stop_reason: finish, usage }: Anthropic.Message): Heard {
  const cached = (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
  return {
    text: content.map((block) => (block.type === "text" ? block.text : "")).join(""),
    calls: content.filter((block) => block.type === "tool_use"),
    finish,
    tokens: { input: usage.input_tokens + cached, output: usage.output_tokens },
  };
}

const pictureBlock = (data: string): Anthropic.ImageBlockParam => ({
  type: "image",
  source: { type: "base64", media_type: "image/png", data },
});

export const ANTHROPIC: Speaker = {
  title: "Anthropic's SDK",
  protocol: "anthropic",
  model: MODEL,
  finishes: { end: "end_turn", calls: "tool_use" },
  begin({ relayUrl, key, stream }) {
    const client = new Anthropic({
      baseURL: relayUrl,
      apiKey: key,
      maxRetries: 0,
      timeout: CALL_TIMEOUT_MS,
    });
    const messages: Anthropic.MessageParam[] = [];
    const ask = async (content: Anthropic.ContentBlockParam[]): Promise<Heard> => {
      messages.push({ role: "user", content });
      const call = { model: MODEL, max_tokens: 1024, messages, tools: [TOOL] };
      const message = stream
        ? await client.messages.stream(call).finalMessage()
        : await client.messages.create(call);
      messages.push({ role: "assistant", content: message.content });
      return heard(message);
    };
    return {
      say: (text, picture) =>
        ask([...(picture === undefined ? [] : [pictureBlock(picture)]), { type: "text", text }]),
      handIn: (outputs) =>
        ask(outputs.map(({ call, text }) => ({ type: "tool_result", tool_use_id: call.id, content: text }))),
    };
  },
};
