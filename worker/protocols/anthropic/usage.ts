/** Reads what an Anthropic answer cost, from its JSON or its event stream (docs.anthropic.com/en/api/messages-streaming). Pure. */
import { isObject, type Json } from "../../domain/json.ts";
import { EMPTY_READING, type TokenUsage, type UsageReading } from "../../domain/usage.ts";
import { readFieldsOf } from "../json-fields.ts";
import type { UsageReader } from "../protocol.ts";
import { SseReader, type SseEvent } from "../sse.ts";

/** No answer costs more tokens than this; a larger figure is the upstream's mistake and is clamped. */
export const TOKENS_MAX = 1_000_000_000;

const textOrNull = (value: unknown): string | null =>
  typeof value === "string" ? value.slice(0, 200) : null;

/** A token count as reported; `previous` where it is absent. An impossible one is clamped and marked. */
function countOf(value: unknown, previous: number): { count: number; clamped: boolean } {
  if (value === undefined || value === null) return { count: previous, clamped: false };
  if (typeof value !== "number" || !Number.isFinite(value)) return { count: previous, clamped: true };
  const count = Math.min(TOKENS_MAX, Math.max(0, Math.round(value)));
  return { count, clamped: count !== value };
}

/**
 * Adds a `usage` object to what was known. Counts are cumulative, so the last value wins; but a zero does not
 * erase a figure that came before, because some endpoints fill the final event's input counts with zeros.
 */
export function addUsage(reading: UsageReading, usage: unknown): UsageReading {
  if (!isObject(usage)) return reading;
  const before = reading.tokens;
  let clamped = reading.clamped;
  const read = (value: unknown, previous: number): number => {
    const result = countOf(value, previous);
    clamped ||= result.clamped;
    return result.count === 0 ? previous : result.count;
  };
  const split = isObject(usage.cache_creation) ? usage.cache_creation : {};
  const cacheWrite1h = read(split.ephemeral_1h_input_tokens, before.cacheWrite1h);
  const split5m = read(split.ephemeral_5m_input_tokens, before.cacheWrite5m);
  const total = read(usage.cache_creation_input_tokens, before.cacheWrite5m + before.cacheWrite1h);
  const serverTools = isObject(usage.server_tool_use) ? usage.server_tool_use : {};
  const tokens: TokenUsage = {
    input: read(usage.input_tokens, before.input),
    output: read(usage.output_tokens, before.output),
    // Where the split is shorter than the total, what remains lives five minutes.
    cacheWrite5m: Math.max(split5m, total - cacheWrite1h),
    cacheWrite1h,
    cacheRead: read(usage.cache_read_input_tokens, before.cacheRead),
    webSearches: read(serverTools.web_search_requests, before.webSearches),
  };
  return {
    ...reading,
    tokens,
    clamped,
    reported: true,
    serviceTier: textOrNull(usage.service_tier) ?? reading.serviceTier,
    speed: textOrNull(usage.speed) ?? reading.speed,
  };
}

/** Usage of a complete JSON answer. What cannot be read counts as not reported. */
export function readAnthropicAnswer(body: Uint8Array): UsageReading {
  const answer = readFieldsOf(body, ["model", "usage"]);
  if (answer === null) return EMPTY_READING;
  const reading = addUsage({ ...EMPTY_READING, model: textOrNull(answer.model) }, answer.usage);
  return { ...reading, finished: true };
}

function onMessageStart(reading: UsageReading, data: Json): UsageReading {
  const message = isObject(data.message) ? data.message : {};
  return addUsage({ ...reading, model: textOrNull(message.model) ?? reading.model }, message.usage);
}

function onError(reading: UsageReading, data: Json): UsageReading {
  const error = isObject(data.error) ? data.error : {};
  return { ...reading, errorType: textOrNull(error.type) ?? "api_error" };
}

function step(reading: UsageReading, data: Json): UsageReading {
  switch (data.type) {
    case "message_start":
      return onMessageStart(reading, data);
    case "message_delta":
      return addUsage(reading, data.usage);
    case "message_stop":
      return { ...reading, finished: true };
    case "error":
      return onError(reading, data);
    default:
      return reading;
  }
}

// Content events are the bulk of a stream and carry no usage: they are told by their first bytes and not parsed.
const CONTENT_PREFIX = new TextEncoder().encode('{"type":"content_block_');
/** JSON around the text of a `text_delta` event, in bytes: what is longer is text. */
const DELTA_ENVELOPE_BYTES = 80;
/** Rule of thumb for text whose tokens were never reported. */
const BYTES_PER_TOKEN = 4;

const decoder = new TextDecoder();

export class AnthropicUsageReader implements UsageReader {
  #reading = EMPTY_READING;
  #sawContent = false;
  #errorMessage: string | null = null;
  #textBytes = 0;
  readonly #sse = new SseReader((event) => {
    this.#onEvent(event);
  });

  push(bytes: Uint8Array): void {
    this.#sse.push(bytes);
  }

  end(): void {
    this.#sse.end();
  }

  get atBoundary(): boolean {
    return this.#sse.atBoundary;
  }

  get sawContent(): boolean {
    return this.#sawContent;
  }

  get errorMessage(): string | null {
    return this.#errorMessage;
  }

  /** Until the upstream reports the final output count, output is at least what the text seen amounts to. */
  get reading(): UsageReading {
    if (this.#reading.finished) return this.#reading;
    const estimate = Math.ceil(this.#textBytes / BYTES_PER_TOKEN);
    const tokens = this.#reading.tokens;
    return estimate <= tokens.output
      ? this.#reading
      : { ...this.#reading, tokens: { ...tokens, output: estimate } };
  }

  #onEvent({ data }: SseEvent): void {
    if (startsWith(data, CONTENT_PREFIX)) {
      this.#sawContent = true;
      this.#textBytes += Math.max(0, data.length - DELTA_ENVELOPE_BYTES);
      return;
    }
    const parsed = parseEvent(data);
    if (parsed === null) return;
    if (typeof parsed.type === "string" && parsed.type.startsWith("content_block_")) this.#sawContent = true;
    this.#reading = step(this.#reading, parsed);
    if (parsed.type === "error" && isObject(parsed.error)) {
      this.#errorMessage = textOrNull(parsed.error.message);
    }
  }
}

/** Clients ignore an event whose JSON is broken, and so do we. */
function parseEvent(data: Uint8Array): Json | null {
  try {
    const value: unknown = JSON.parse(decoder.decode(data));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}
