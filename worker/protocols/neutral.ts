/**
 * The form between two dialects: what a call asks and what an answer says, in no vendor's words.
 *
 * It is used only where client and upstream speak different dialects. Every dialect has a translator into it and
 * one out of it, so n dialects need n of each and not n x n. Pure.
 */
import type { ProtocolId } from "../domain/protocol-id.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** How long a prompt prefix that ends here should be cached (Anthropic's `cache_control`); null: not marked. */
export type CacheMark = "5m" | "1h" | null;

/**
 * What only the dialect that made it can read: a thinking signature, encrypted reasoning. Other dialects carry it
 * back and forth in whatever field of theirs survives the client (`boundText`), and never read it.
 */
export interface Bound {
  readonly origin: ProtocolId;
  readonly data: string;
}

export interface TextPart {
  readonly kind: "text";
  readonly text: string;
  readonly cache: CacheMark;
}

/** A picture, document or recording, by its bytes or by its address. */
export interface MediaPart {
  readonly kind: "media";
  /** As the client says; null where it gives only an address. */
  readonly mediaType: string | null;
  readonly source:
    /** `data` is base64. */
    { readonly kind: "base64"; readonly data: string } | { readonly kind: "url"; readonly url: string };
  /** File name or title. */
  readonly name: string | null;
  readonly cache: CacheMark;
}

/** The model's own reasoning. Text without a signature is for people; upstreams accept only their own. */
export interface ThinkingPart {
  readonly kind: "thinking";
  readonly text: string;
  readonly signature: Bound | null;
  /** The text is hidden from the client as well: there is nothing but the signature. */
  readonly redacted: boolean;
}

export interface ToolCallPart {
  readonly kind: "tool_call";
  /** 1 to 64 characters of A-Z, a-z, 0-9, `_` and `-`. */
  readonly id: string;
  readonly name: string;
  /** A JSON object as text. */
  readonly arguments: string;
  /** Gemini signs calls. */
  readonly signature: Bound | null;
}

export interface ToolResultPart {
  readonly kind: "tool_result";
  readonly callId: string;
  /** Of the function, where it is known: Gemini matches results by it. */
  readonly name: string;
  readonly content: readonly (TextPart | MediaPart)[];
  readonly isError: boolean;
  readonly cache: CacheMark;
}

export type Part = TextPart | MediaPart | ThinkingPart | ToolCallPart | ToolResultPart;

/**
 * One speaker's turn. Parts stand in the order in which they were said. `system` has text only; `assistant` has
 * text, thinking, media and tool calls; `user` has text, media and tool results, results first.
 * Two turns of one role may follow each other.
 */
export interface Turn {
  readonly role: "system" | "user" | "assistant";
  readonly parts: readonly Part[];
}

export interface Tool {
  readonly name: string;
  readonly description: string | null;
  /** JSON Schema of an object. */
  readonly parameters: JsonObject;
  readonly strict: boolean | null;
  readonly cache: CacheMark;
}

export type ToolChoice =
  | { readonly kind: "auto" }
  | { readonly kind: "none" }
  /** Some tool must be called. */
  | { readonly kind: "required" }
  | { readonly kind: "named"; readonly name: string };

export const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
export type Effort = (typeof EFFORTS)[number];

/** How much the model should think. `effort` and `budgetTokens` may both be absent: as much as the model likes. */
export interface Reasoning {
  readonly effort: Effort | null;
  readonly budgetTokens: number | null;
  /** The client wants to see (a summary of) it. */
  readonly visible: boolean;
}

export type OutputFormat =
  | { readonly kind: "json" }
  | {
      readonly kind: "schema";
      readonly name: string;
      readonly schema: JsonObject;
      readonly strict: boolean | null;
    };

export interface NeutralRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | null;
  /** False: at most one call at a time; null: the client does not say. */
  readonly parallelToolCalls: boolean | null;
  /** Longest answer, in tokens, thinking included; null: the client does not say. */
  readonly outputTokensMax: number | null;
  /** 0 to 2, where 1 is the model's own distribution; Anthropic stops at 1. */
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly seed: number | null;
  readonly presencePenalty: number | null;
  readonly frequencyPenalty: number | null;
  readonly stop: readonly string[];
  readonly reasoning: Reasoning | null;
  /** null: text. */
  readonly format: OutputFormat | null;
  /** An opaque id of the person behind the client. */
  readonly user: string | null;
  /** What the client groups its prompts by, for the upstream's prompt cache. */
  readonly cacheKey: string | null;
  /**
   * Names of what the client asked for and no other dialect can carry, but which leaves the meaning as it is
   * (a hosted tool that nobody is forced to call, a storage flag): told in the routing story.
   */
  readonly omitted: readonly string[];
}

/** A request with nothing but its conversation, for translators to begin from. */
export const BARE_REQUEST: Omit<NeutralRequest, "model" | "turns"> = {
  stream: false,
  tools: [],
  toolChoice: null,
  parallelToolCalls: null,
  outputTokensMax: null,
  temperature: null,
  topP: null,
  topK: null,
  seed: null,
  presencePenalty: null,
  frequencyPenalty: null,
  stop: [],
  reasoning: null,
  format: null,
  user: null,
  cacheKey: null,
  omitted: [],
};

export type FinishReason =
  | "stop"
  | "stop_sequence"
  /** The longest answer was reached, or the model's context. */
  | "length"
  | "tool_calls"
  /** The model or a filter refused. */
  | "refused";

/** Token counts in the form of the ledger's `TokenUsage`: every count of `input` and caches excludes the others. */
export interface AnswerUsage {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  /** All generated tokens, reasoning included. */
  readonly output: number;
  /** The part of `output` that was reasoning; 0 where the upstream does not tell. */
  readonly reasoning: number;
}

/** What begins with `open`. */
export type OpenPart =
  | { readonly kind: "text" }
  | { readonly kind: "thinking"; readonly redacted: boolean }
  | { readonly kind: "refusal" }
  | { readonly kind: "tool_call"; readonly id: string; readonly name: string };

/**
 * An answer, streamed or whole, as a sequence: `start`; then parts, each `open`, any number of `delta` and
 * `signature`, `close`, by an index that counts from 0 in the order of opening (parts may overlap: calls can run
 * side by side); `media` by itself; `usage` whenever something is known, each replacing the last; `finish` after
 * the last `close`; then `end`. Where the upstream reports an error, `error` is the last event instead.
 */
export type AnswerEvent =
  | { readonly kind: "start"; readonly id: string | null; readonly model: string | null }
  | { readonly kind: "open"; readonly index: number; readonly part: OpenPart }
  /** More of the text, or of a call's arguments as JSON text. */
  | { readonly kind: "delta"; readonly index: number; readonly text: string }
  | { readonly kind: "signature"; readonly index: number; readonly signature: Bound }
  | { readonly kind: "close"; readonly index: number }
  /** A whole picture; `data` is base64. */
  | { readonly kind: "media"; readonly mediaType: string; readonly data: string }
  | { readonly kind: "usage"; readonly usage: AnswerUsage }
  | { readonly kind: "finish"; readonly reason: FinishReason; readonly stopSequence: string | null }
  | { readonly kind: "end" }
  | { readonly kind: "error"; readonly type: string; readonly message: string };

/** What both ends of an answer know of the call it belongs to. */
export interface AnswerFacts {
  /** The relay's id of the request: unique, so ids that a dialect needs are made of it. */
  readonly id: string;
  /** The model as the client named it, which is what the client is told. */
  readonly model: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const BOUND_TEXT = /^(anthropic|openai-chat|openai-responses|gemini)#/;

/** A bound value in a field of another dialect. */
export const boundText = (bound: Bound, own: ProtocolId): string =>
  bound.origin === own ? bound.data : `${bound.origin}#${bound.data}`;

/** A bound value out of a field of the dialect `own`: its own, unless it says otherwise. */
export function readBound(text: string, own: ProtocolId): Bound {
  const origin = BOUND_TEXT.exec(text)?.[1] as ProtocolId | undefined;
  return origin === undefined ? { origin: own, data: text } : { origin, data: text.slice(origin.length + 1) };
}
