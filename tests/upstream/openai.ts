/** What OpenAI's dialects have in common: calls in Anthropic's form, usage in OpenAI's. Pure. */
import { encodeEvent } from "./anthropic-sse.ts";
import type { Usage } from "./behaviour.ts";
import type { Dialect } from "./dialect.ts";
import { errorStatusOf } from "./error-status.ts";
import { isRecord, recordsOf, textOf, type JsonRecord } from "./record.ts";
import type { HeaderMap } from "./response-headers.ts";

const TEXT_TYPES = ["input_text", "output_text", "text"];

/** A message's content as Anthropic's blocks. */
function blocksOf(content: unknown): readonly JsonRecord[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return recordsOf(content)
    .filter((part) => TEXT_TYPES.includes(textOf(part["type"])))
    .map((part) => ({ type: "text", text: part["text"] }));
}

const toolResult = (output: unknown): JsonRecord => ({
  role: "user",
  content: [{ type: "tool_result", content: blocksOf(output) }],
});

const CALL_TYPES = ["function_call", "custom_tool_call"];
const OUTPUT_TYPES = CALL_TYPES.map((type) => `${type}_output`);

/** One item of a Responses call or one chat message. */
function messageOf(item: JsonRecord): JsonRecord {
  const type = textOf(item["type"]);
  if (OUTPUT_TYPES.includes(type)) return toolResult(item["output"]);
  if (item["role"] === "tool") return toolResult(item["content"]);
  if (CALL_TYPES.includes(type)) return { role: "assistant", content: [] };
  return { role: textOf(item["role"], "assistant"), content: blocksOf(item["content"]) };
}

/** Both dialects' tools: the one has name and schema beside each other, the other inside `function`. */
function toolOf(tool: JsonRecord): JsonRecord {
  const inner = isRecord(tool["function"]) ? tool["function"] : tool;
  const script = tool["type"] === "custom" ? { takes_script: true } : {};
  return { name: inner["name"], input_schema: inner["parameters"], ...script };
}

/** Codex puts tools into namespaces, and for its newer models among the items. */
function toolsOf(body: JsonRecord, items: readonly JsonRecord[]): readonly JsonRecord[] {
  return [body, ...items]
    .flatMap((holder) => recordsOf(holder["tools"]))
    .flatMap((tool) => (tool["type"] === "namespace" ? recordsOf(tool["tools"]) : [tool]))
    .map(toolOf);
}

export function inAnthropicForm(body: JsonRecord, items: readonly JsonRecord[]): JsonRecord {
  return {
    model: body["model"],
    stream: body["stream"],
    messages: items.map(messageOf),
    tools: toolsOf(body, items),
  };
}

/** OpenAI's input holds what was read from the cache and written to it, and its output the reasoning. */
export function openAiFigures(usage: Usage) {
  const input = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
  const inputDetails = {
    cached_tokens: usage.cache_read_input_tokens,
    ...(usage.cache_creation_input_tokens === 0
      ? {}
      : { cache_write_tokens: usage.cache_creation_input_tokens }),
  };
  const outputDetails = { reasoning_tokens: Math.floor(usage.output_tokens / 4) };
  return {
    input,
    inputDetails,
    output: usage.output_tokens,
    outputDetails,
    total: input + usage.output_tokens,
  };
}

/** OpenAI calls the usual tier `default`. */
export const tierOf = (usage: Usage): string =>
  usage.service_tier === "standard" ? "default" : usage.service_tier;

export const openAiErrorBody = (type: string, message: string) => ({
  error: { message, type, code: type, param: null },
});

/** The public API's limits and the ChatGPT backend's at once. */
const openAiLimitHeaders = (): HeaderMap => ({
  "openai-organization": "org-secret-7d1f0c2a",
  "openai-processing-ms": "42",
  "x-ratelimit-remaining-requests": "99",
  "x-ratelimit-reset-requests": "20ms",
  "x-codex-primary-used-percent": "25",
  "x-codex-primary-window-minutes": "300",
  "x-codex-primary-reset-after-seconds": "3600",
  "x-codex-secondary-used-percent": "50",
  "x-codex-secondary-window-minutes": "10080",
  "x-codex-secondary-reset-after-seconds": "86400",
});

/** What all of OpenAI's dialects do alike. */
export const OPENAI = {
  streamType: "text/event-stream; charset=utf-8",
  // Nothing that is asked in these dialects goes without a model.
  other: () => "{}",
  encode: encodeEvent,
  errorAnswer: (type, message) => ({ status: errorStatusOf(type), body: openAiErrorBody(type, message) }),
  limitHeaders: openAiLimitHeaders,
} as const satisfies Partial<Dialect>;
