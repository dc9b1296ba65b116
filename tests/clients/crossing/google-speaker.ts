/** Google's SDK, whose chats keep the history themselves. */
import { type GenerateContentResponse, GoogleGenAI, type Part } from "@google/genai";
import { CALL_TIMEOUT_MS, type Heard, SHELL, type Speaker } from "./dialogue.ts";

const MODEL = "gemini-2.5-pro";
const TOOLS = [
  {
    functionDeclarations: [
      { name: SHELL.name, description: SHELL.description, parametersJsonSchema: SHELL.schema },
    ],
  },
];

/** The pieces of one answer; one that came whole is one piece. */
function heard(pieces: readonly GenerateContentResponse[]): Heard {
  const usage = pieces.at(-1)?.usageMetadata;
  const parts = pieces.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
  return {
    text: parts.map(({ text, thought }) => (thought === true ? "" : (text ?? ""))).join(""),
    calls: pieces
      .flatMap(({ functionCalls }) => functionCalls ?? [])
      .map(({ id = "", name = "", args }) => ({ id, name, input: args })),
    finish: pieces.at(-1)?.candidates?.[0]?.finishReason,
    tokens: {
      input: (usage?.promptTokenCount ?? NaN) + (usage?.toolUsePromptTokenCount ?? 0),
      output: (usage?.candidatesTokenCount ?? NaN) + (usage?.thoughtsTokenCount ?? 0),
    },
  };
}

const picturePart = (data: string): Part => ({ inlineData: { mimeType: "image/png", data } });

export const GOOGLE: Speaker = {
  title: "Google's SDK",
  protocol: "gemini",
  model: MODEL,
  finishes: { end: "STOP", calls: "STOP" },
  begin({ relayUrl, key, stream }) {
    const httpOptions = { baseUrl: relayUrl, timeout: CALL_TIMEOUT_MS };
    const client = new GoogleGenAI({ apiKey: key, httpOptions });
    const chat = client.chats.create({ model: MODEL, config: { tools: TOOLS } });
    const ask = async (message: Part[]): Promise<Heard> => {
      if (!stream) return heard([await chat.sendMessage({ message })]);
      const pieces: GenerateContentResponse[] = [];
      for await (const piece of await chat.sendMessageStream({ message })) pieces.push(piece);
      return heard(pieces);
    };
    return {
      say: (text, picture) => ask([{ text }, ...(picture === undefined ? [] : [picturePart(picture)])]),
      handIn: (outputs) =>
        ask(
          outputs.map(({ call: { id, name }, text }) => ({
            functionResponse: { id, name, response: { output: text } },
          })),
        ),
    };
  },
};
