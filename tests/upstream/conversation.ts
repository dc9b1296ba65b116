/** Reads a Messages request as far as the fake needs it to answer. Pure. */
import { isRecord, recordsOf, textOf, type JsonRecord } from "./record.ts";

export type Conversation = {
  readonly model: string;
  readonly stream: boolean;
  readonly messageCount: number;
  /** The last text of the user which is not a reminder of the client's. */
  readonly prompt: string;
  /** How many calls of a tool the user's last turn asks for. */
  readonly callsWanted: 0 | 1 | 2;
  /** What the tool gave, when the user's last turn carries its result. */
  readonly toolOutput: string | null;
  readonly tools: readonly JsonRecord[];
  /** The schema of `output_config.format`, if there is one. */
  readonly schema: JsonRecord | null;
  readonly thinking: "none" | "shown" | "omitted";
  /** An earlier turn of the assistant carries thinking. */
  readonly holdsThinking: boolean;
};

/** A prompt with this word is answered with a call of the client's shell tool. */
export const TOOL_TASK = "TOOLTASK";
/** A prompt with this word is answered with two such calls, side by side. */
export const PAIR_TASK = "PAIRTASK";

export function readConversation(body: JsonRecord): Conversation {
  const messages = recordsOf(body["messages"]);
  const blocks = lastUserBlocks(messages);
  const texts = blocks.filter((block) => block["type"] === "text").map((block) => textOf(block["text"]));
  const results = blocks.filter((block) => block["type"] === "tool_result");
  return {
    model: textOf(body["model"], "claude-unknown"),
    stream: body["stream"] === true,
    messageCount: messages.length,
    prompt: texts.findLast((text) => !text.startsWith("<system-reminder>")) ?? "",
    callsWanted: results.length === 0 ? callsWantedIn(texts) : 0,
    toolOutput: results.length === 0 ? null : results.map(resultText).join("\n"),
    tools: recordsOf(body["tools"]),
    schema: schemaOf(body),
    thinking: thinkingOf(body["thinking"]),
    holdsThinking: messages.flatMap((message) => blocksOf(message["content"])).some(isThinking),
  };
}

function callsWantedIn(texts: readonly string[]): Conversation["callsWanted"] {
  if (texts.some((text) => text.includes(PAIR_TASK))) return 2;
  return texts.some((text) => text.includes(TOOL_TASK)) ? 1 : 0;
}

/** Clients may send several user messages in a row, and system messages after them: the turn is all since the assistant. */
function lastUserBlocks(messages: readonly JsonRecord[]): readonly JsonRecord[] {
  const start = messages.findLastIndex((message) => message["role"] === "assistant") + 1;
  return messages
    .slice(start)
    .filter((message) => message["role"] === "user")
    .flatMap((message) => blocksOf(message["content"]));
}

function blocksOf(content: unknown): readonly JsonRecord[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : recordsOf(content);
}

function resultText(result: JsonRecord): string {
  return blocksOf(result["content"])
    .map((block) => textOf(block["text"]))
    .join("");
}

function schemaOf(body: JsonRecord): JsonRecord | null {
  const config = body["output_config"];
  const format = isRecord(config) ? config["format"] : body["output_format"];
  if (!isRecord(format) || format["type"] !== "json_schema") return null;
  return isRecord(format["schema"]) ? format["schema"] : null;
}

const isThinking = (block: JsonRecord) =>
  block["type"] === "thinking" || block["type"] === "redacted_thinking";

function thinkingOf(thinking: unknown): Conversation["thinking"] {
  if (!isRecord(thinking)) return "none";
  if (thinking["type"] !== "enabled" && thinking["type"] !== "adaptive") return "none";
  return thinking["display"] === "omitted" ? "omitted" : "shown";
}
