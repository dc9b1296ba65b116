/** What the contract suite must know of each dialect: how a client calls in it, and what it gets to see. */
import { expect } from "vitest";
import type { ProtocolId } from "../../../worker/domain/protocol-id.ts";
import type { TokenUsage } from "../../../worker/domain/usage.ts";

export interface Dialect {
  readonly name: string;
  readonly model: string;
  /** Below the origin: the same at the relay and at the fake. */
  path(stream: boolean): string;
  /** A call that says this. */
  body(text: string, stream: boolean): Readonly<Record<string, unknown>>;
  /** What a stream said, in order; of an event that was cut, its text. Throws where the stream has no form. */
  events(text: string): readonly unknown[];
  /** The last event of a whole answer. */
  readonly end: unknown;
  /** The event that ends an answer which was cut. */
  readonly streamError: unknown;
  /** The body of an error with this status. */
  error(status: number): unknown;
  /** The body of a refusal for this reason. */
  denied(reason: string): unknown;
  /** What is booked for an answer with `USAGE`. */
  readonly tokens: TokenUsage;
}

/** What the fake reports of its answers, in Anthropic's words. */
export const USAGE = {
  input_tokens: 1_001,
  output_tokens: 202,
  cache_read_input_tokens: 3_003,
  cache_creation: { ephemeral_5m_input_tokens: 44, ephemeral_1h_input_tokens: 55 },
};

const TOKENS: TokenUsage = {
  input: 1_001,
  output: 202,
  cacheRead: 3_003,
  cacheWrite5m: 44,
  cacheWrite1h: 55,
  webSearches: 0,
};

const object = (fields: Record<string, unknown>) => expect.objectContaining(fields) as unknown;
const text = expect.any(String) as unknown;

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

const sseEvents = (stream: string): unknown[] =>
  [...stream.matchAll(/^data: ?(.*?)\r?$/gm)].map(([, data = ""]) => parsed(data));

const anthropic: Dialect = {
  name: "anthropic",
  model: "claude-sonnet-4-5-20250929",
  path: () => "/v1/messages",
  body: (content, stream) => ({
    model: anthropic.model,
    max_tokens: 100,
    stream,
    messages: [{ role: "user", content }],
  }),
  events: sseEvents,
  end: object({ type: "message_stop" }),
  streamError: object({ type: "error", error: object({ message: text }) }),
  error: () => object({ type: "error", error: object({ type: text, message: text }) }),
  denied: (code) =>
    object({ type: "error", error: object({ type: "permission_error", code, message: text }) }),
  tokens: TOKENS,
};

/** OpenAI's dialects alike: errors, and caches whose writes have no lifetimes. */
const OPENAI = {
  model: "gpt-6-sol",
  events: sseEvents,
  error: () => object({ error: object({ message: text, type: text, param: null }) }),
  denied: (code: string) => object({ error: object({ type: "permission_denied", code, message: text }) }),
  tokens: { ...TOKENS, cacheWrite5m: 99, cacheWrite1h: 0 },
};

const responses: Dialect = {
  ...OPENAI,
  name: "openai-responses",
  path: () => "/v1/responses",
  // As Codex says it: a ChatGPT plan takes nothing else.
  body: (input, stream) => ({ model: OPENAI.model, store: false, stream, input }),
  end: object({ type: "response.completed" }),
  streamError: object({ type: "response.failed", response: object({ error: object({ message: text }) }) }),
};

const chat: Dialect = {
  ...OPENAI,
  name: "openai-chat",
  path: () => "/v1/chat/completions",
  body: (content, stream) => ({
    model: OPENAI.model,
    messages: [{ role: "user", content }],
    ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
  }),
  end: "[DONE]",
  streamError: object({ error: object({ message: text }) }),
};

const GEMINI_MODEL = "gemini-2.5-pro";

const gemini: Omit<Dialect, "name" | "path" | "events"> = {
  model: GEMINI_MODEL,
  body: (prompt) => ({ contents: [{ role: "user", parts: [{ text: prompt }] }] }),
  end: object({ candidates: [object({ finishReason: "STOP" })] }),
  streamError: object({ error: object({ code: expect.any(Number), message: text }) }),
  error: (code) => object({ error: object({ code, message: text, status: text }) }),
  denied: (reason) =>
    object({
      error: object({
        code: 403,
        status: "PERMISSION_DENIED",
        details: expect.arrayContaining([object({ reason })]) as unknown,
      }),
    }),
  // What Google's cache costs is stored by the hour, and not told with an answer.
  tokens: { ...TOKENS, cacheWrite5m: 0, cacheWrite1h: 0 },
};

const geminiPath = (method: string) => `/v1beta/models/${GEMINI_MODEL}:${method}`;

const geminiEvents: Dialect = {
  ...gemini,
  name: "gemini (events)",
  path: (stream) => geminiPath(stream ? "streamGenerateContent?alt=sse" : "generateContent"),
  events: sseEvents,
};

const geminiArray: Dialect = {
  ...gemini,
  name: "gemini (array)",
  path: (stream) => geminiPath(stream ? "streamGenerateContent" : "generateContent"),
  events: (stream) => JSON.parse(stream) as unknown[],
};

/** The first of a protocol's is tried where the form of a stream does not matter. */
export const DIALECTS: Readonly<Record<ProtocolId, readonly [Dialect, ...Dialect[]]>> = {
  anthropic: [anthropic],
  "openai-responses": [responses],
  "openai-chat": [chat],
  gemini: [geminiEvents, geminiArray],
};
