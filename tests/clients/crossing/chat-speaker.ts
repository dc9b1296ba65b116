/** OpenAI's SDK with Chat Completions. */
import OpenAI from "openai";
import { CALL_TIMEOUT_MS, type Heard, SHELL, type Speaker } from "./dialogue.ts";

const MODEL = "gpt-5.5";
const TOOL: OpenAI.ChatCompletionTool = {
  type: "function",
  function: { name: SHELL.name, description: SHELL.description, parameters: SHELL.schema },
};

function heard({ choices: [choice], usage }: OpenAI.ChatCompletion): Heard {
  const calls = (choice?.message.tool_calls ?? []).filter((call) => call.type === "function");
  return {
    text: choice?.message.content ?? "",
    calls: calls.map(({ id, function: called }) => ({
      id,
      name: called.name,
      input: JSON.parse(called.arguments) as unknown,
    })),
    finish: choice?.finish_reason,
    tokens: { input: usage?.prompt_tokens ?? NaN, output: usage?.completion_tokens ?? NaN },
  };
}

const pictureBlock = (data: string): OpenAI.ChatCompletionContentPart => ({
  type: "image_url",
  image_url: { url: `data:image/png;base64,${data}` },
});

export const CHAT: Speaker = {
  title: "OpenAI's SDK in a chat",
  protocol: "openai-chat",
  model: MODEL,
  finishes: { end: "stop", calls: "tool_calls" },
  begin({ relayUrl, key, stream }) {
    const client = new OpenAI({
      baseURL: `${relayUrl}/v1`,
      apiKey: key,
      maxRetries: 0,
      timeout: CALL_TIMEOUT_MS,
    });
    const messages: OpenAI.ChatCompletionMessageParam[] = [];
    const ask = async (said: readonly OpenAI.ChatCompletionMessageParam[]): Promise<Heard> => {
      messages.push(...said);
      const call = { model: MODEL, messages, tools: [TOOL] };
      const completion = stream
        ? await client.chat.completions
            .stream({ ...call, stream_options: { include_usage: true } })
            .finalChatCompletion()
        : await client.chat.completions.create(call);
      messages.push(...completion.choices.map(({ message }) => message));
      return heard(completion);
    };
    return {
      say: (text, picture) =>
        ask([
          {
            role: "user",
            content: [{ type: "text", text }, ...(picture === undefined ? [] : [pictureBlock(picture)])],
          },
        ]),
      handIn: (outputs) =>
        ask(outputs.map(({ call, text }) => ({ role: "tool", tool_call_id: call.id, content: text }))),
    };
  },
};
