/** What Google reports of an answer's tokens, in the normal form (ai.google.dev/api/generate-content#UsageMetadata). Pure. */
import { EMPTY_READING, NO_USAGE, type UsageReading } from "../../domain/usage.ts";
import { readFieldsOf } from "../json-fields.ts";
import type { AnswerUsage } from "../neutral.ts";

export type Json = Readonly<Record<string, unknown>>;

/** No answer costs more tokens than this; a larger figure is the upstream's mistake and is clamped. */
export const TOKENS_MAX = 1_000_000_000;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const textOrNull = (value: unknown): string | null =>
  typeof value === "string" ? value.slice(0, 200) : null;

interface Count {
  readonly count: number;
  readonly clamped: boolean;
}

function countOf(value: unknown): Count {
  // Protobuf's JSON leaves zeros out.
  if (value === undefined || value === null) return { count: 0, clamped: false };
  if (typeof value !== "number" || !Number.isFinite(value)) return { count: 0, clamped: true };
  const count = Math.min(TOKENS_MAX, Math.max(0, Math.round(value)));
  return { count, clamped: count !== value };
}

/**
 * Replaces what was known: each report is of the whole answer so far. Google counts cached tokens into the prompt,
 * and what its own tools put into the prompt beside it; thoughts are beside the candidates.
 */
export function withUsage(reading: UsageReading, usage: unknown): UsageReading {
  if (!isObject(usage) || Object.keys(usage).length === 0) return reading;
  const [prompt, cached, tools, candidates, thoughts, total] = [
    countOf(usage.promptTokenCount),
    countOf(usage.cachedContentTokenCount),
    countOf(usage.toolUsePromptTokenCount),
    countOf(usage.candidatesTokenCount),
    countOf(usage.thoughtsTokenCount),
    countOf(usage.totalTokenCount),
  ];
  const counted = prompt.count + tools.count + candidates.count;
  // Some endpoints leave thoughts out and count them into the total alone.
  const thought =
    usage.thoughtsTokenCount === undefined ? Math.max(0, total.count - counted) : thoughts.count;
  const impossible = cached.count > prompt.count;
  return {
    ...reading,
    tokens: {
      ...NO_USAGE,
      input: Math.max(0, prompt.count - cached.count) + tools.count,
      output: candidates.count + thought,
      cacheRead: Math.min(cached.count, prompt.count),
    },
    reported: true,
    clamped:
      impossible || [prompt, cached, tools, candidates, thoughts, total].some(({ clamped }) => clamped),
  };
}

/** The same for an answer in the neutral form, with the part of it that was thoughts. */
export function answerUsage(usage: Json): AnswerUsage {
  const { input, output, cacheRead } = withUsage(EMPTY_READING, usage).tokens;
  const reasoning = output - countOf(usage.candidatesTokenCount).count;
  return { input, cacheRead, cacheWrite: 0, output, reasoning };
}

/** `publishers/google/models/gemini-2.5-pro` and `models/gemini-2.5-pro` are `gemini-2.5-pro`. */
export const modelOf = (value: unknown): string | null => textOrNull(value)?.replace(/^.*\//, "") ?? null;

export const candidatesOf = ({ candidates }: Json): readonly Json[] =>
  Array.isArray(candidates) ? candidates.filter(isObject) : [];

export const isBlocked = ({ promptFeedback }: Json): boolean =>
  isObject(promptFeedback) && typeof promptFeedback.blockReason === "string";

/** The response itself, which Code Assist wraps. */
export const unwrapped = (message: Json): Json => (isObject(message.response) ? message.response : message);

/** Model and usage of one message. */
export const withMessage = (reading: UsageReading, message: Json): UsageReading =>
  withUsage({ ...reading, model: modelOf(message.modelVersion) ?? reading.model }, message.usageMetadata);

/** Usage of a complete JSON answer. What cannot be read counts as not reported. */
export function readGeminiAnswer(body: Uint8Array): UsageReading {
  const answer = readFieldsOf(body, ["response", "modelVersion", "usageMetadata"]);
  return answer === null
    ? EMPTY_READING
    : { ...withMessage(EMPTY_READING, unwrapped(answer)), finished: true };
}
