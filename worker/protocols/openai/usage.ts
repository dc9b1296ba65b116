/** Reads the `usage` objects of OpenAI's dialects into the normal form, where no count holds another. Pure. */
import { isObject, type Json } from "../../domain/json.ts";
import { EMPTY_READING, type TokenUsage, type UsageReading } from "../../domain/usage.ts";
import { readFieldsOf } from "../json-fields.ts";

/** No answer costs more tokens than this; a larger figure is the upstream's mistake and is clamped. */
export const TOKENS_MAX = 1_000_000_000;
const TEXT_LENGTH_MAX = 200;

export const textOrNull = (value: unknown): string | null =>
  typeof value === "string" ? value.slice(0, TEXT_LENGTH_MAX) : null;

const objectOf = (value: unknown): Json => (isObject(value) ? value : {});

/**
 * Takes a `usage` object for what was known: its counts are the whole answer's, so the last one wins. Responses
 * and images say `input_tokens`, Chat Completions and embeddings `prompt_tokens`; either count of the input holds
 * what was read from the cache and written to it, and the output holds the reasoning.
 */
export function withUsage(reading: UsageReading, usage: unknown): UsageReading {
  if (!isObject(usage)) return reading;
  let clamped = reading.clamped;
  const count = (value: unknown, most = TOKENS_MAX): number => {
    if (value === undefined || value === null) return 0;
    const asked = typeof value === "number" && Number.isFinite(value) ? value : NaN;
    const whole = Number.isNaN(asked) ? 0 : Math.min(most, Math.max(0, Math.round(asked)));
    clamped ||= whole !== value;
    return whole;
  };
  const details = objectOf(usage.input_tokens_details ?? usage.prompt_tokens_details);
  const prompt = count(usage.input_tokens ?? usage.prompt_tokens);
  const cacheRead = count(details.cached_tokens, prompt);
  const cacheWrite5m = count(details.cache_write_tokens, prompt - cacheRead);
  const tokens: TokenUsage = {
    ...reading.tokens,
    input: prompt - cacheRead - cacheWrite5m,
    output: count(usage.output_tokens ?? usage.completion_tokens),
    cacheWrite5m,
    cacheRead,
  };
  return { ...reading, tokens, clamped, reported: true };
}

/** What an object says of itself beside its usage. */
export const withNames = (reading: UsageReading, { model, service_tier }: Json): UsageReading => ({
  ...reading,
  model: textOrNull(model) ?? reading.model,
  serviceTier: textOrNull(service_tier) ?? reading.serviceTier,
});

/** A complete JSON answer of any of the dialects. What cannot be read counts as not reported. */
export function readJsonAnswer(body: Uint8Array): UsageReading {
  const answer = readFieldsOf(body, ["model", "service_tier", "usage", "output"]);
  if (answer === null) return EMPTY_READING;
  const reading = withUsage(withNames(EMPTY_READING, answer), answer.usage);
  const tokens = { ...reading.tokens, webSearches: searchesIn(answer.output) };
  return { ...reading, tokens, finished: true };
}

/** Searches are billed by the call; opening a page of their results is not (pricing page, "Built-in tools"). */
export function searchesIn(output: unknown): number {
  if (!Array.isArray(output)) return 0;
  return output.filter((item) => {
    if (!isObject(item) || item.type !== "web_search_call") return false;
    const { type } = objectOf(item.action);
    return type === undefined || type === "search";
  }).length;
}

export interface StreamError {
  readonly type: string;
  readonly message: string | null;
}

/**
 * An error object inside a stream. Its code says more than its type where it has one. A reset that is told in
 * seconds is put into the words that OpenAI uses elsewhere, for whoever judges the message.
 */
export function streamErrorOf(value: unknown): StreamError {
  const error = objectOf(value);
  const message = textOrNull(error.message);
  const seconds = error.resets_in_seconds;
  const reset = typeof seconds === "number" && Number.isFinite(seconds) ? seconds : null;
  return {
    type: textOrNull(error.code) ?? textOrNull(error.type) ?? "server_error",
    message: reset === null ? message : `${message ?? ""} Try again in ${String(reset)}s.`.trim(),
  };
}

/** The JSON of an event; null where it is broken: clients differ, and nothing can be learnt from it. */
export function parseEvent(data: Uint8Array): Json | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Rule of thumb for text whose tokens were never reported. */
const BYTES_PER_TOKEN = 4;

/** Until the upstream reports its figures, output is at least what the text seen amounts to. */
export function withEstimate(reading: UsageReading, textBytes: number): UsageReading {
  if (reading.reported) return reading;
  const output = Math.max(reading.tokens.output, Math.ceil(textBytes / BYTES_PER_TOKEN));
  return { ...reading, tokens: { ...reading.tokens, output } };
}

/** What a delta's event amounts to: its bytes without the JSON around them, and never less than a token. */
export const textBytesOf = (eventBytes: number, envelopeBytes: number): number =>
  Math.max(BYTES_PER_TOKEN, eventBytes - envelopeBytes);
