/** OpenAI's SDK with the Responses API. */
import OpenAI from "openai";
import { CALL_TIMEOUT_MS, type Heard, SHELL, type Speaker } from "./dialogue.ts";

const MODEL = "gpt-5.5";
const TOOL: OpenAI.Responses.Tool = {
  type: "function",
  name: SHELL.name,
  description: SHELL.description,
  parameters: SHELL.schema,
  strict: true,
};

function heard({ output, output_text: text, status, usage }: OpenAI.Responses.Response): Heard {
  const calls = output.filter((item) => item.type === "function_call");
  return {
    text,
    calls: calls.map(({ call_id: id, name, arguments: json }) => ({
      id,
      name,
      input: JSON.parse(json) as unknown,
    })),
    finish: status,
    tokens: { input: usage?.input_tokens ?? NaN, output: usage?.output_tokens ?? NaN },
  };
}

const pictureBlock = (data: string): OpenAI.Responses.ResponseInputImage => ({
  type: "input_image",
  detail: "auto",
  image_url: `data:image/png;base64,${data}`,
});

export const RESPONSES: Speaker = {
  title: "OpenAI's SDK with responses",
  protocol: "openai-responses",
  model: MODEL,
  finishes: { end: "completed", calls: "completed" },
  begin({ relayUrl, key, stream }) {
    const client = new OpenAI({
      baseURL: `${relayUrl}/v1`,
      apiKey: key,
      maxRetries: 0,
      timeout: CALL_TIMEOUT_MS,
    });
    const input: OpenAI.Responses.ResponseInput = [];
    const ask = async (items: OpenAI.Responses.ResponseInput): Promise<Heard> => {
      input.push(...items);
      const call = {
        model: MODEL,
        input,
        tools: [TOOL],
        store: false,
        include: ["reasoning.encrypted_content" as const],
      };
      const response = stream
        ? await client.responses.stream(call).finalResponse()
        : await client.responses.create(call);
      input.push(...(response.output as OpenAI.Responses.ResponseInput));
      return heard(response);
    };
    return {
      say: (text, picture) =>
        ask([
          {
            role: "user",
            content: [
              { type: "input_text", text },
              ...(picture === undefined ? [] : [pictureBlock(picture)]),
            ],
          },
        ]),
      handIn: (outputs) =>
        ask(
          outputs.map(({ call, text }) => ({
            type: "function_call_output",
            call_id: call.id,
            output: text,
          })),
        ),
    };
  },
};
