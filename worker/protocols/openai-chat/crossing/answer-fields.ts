/** Finish reasons and usage of Chat Completions, both ways. Pure. */
import { isObject, type Json } from "../../../domain/json.ts";
import { EMPTY_READING } from "../../../domain/usage.ts";
import type { AnswerUsage, FinishReason } from "../../neutral.ts";
import { withUsage } from "../../openai/usage.ts";

const FINISH_REASONS = {
  stop: "stop",
  stop_sequence: "stop",
  length: "length",
  tool_calls: "tool_calls",
  refused: "content_filter",
} as const satisfies Record<FinishReason, string>;

/** @param isLegacy the client asked with `functions` */
export const finishReasonOf = (reason: FinishReason, isLegacy: boolean): string =>
  isLegacy && reason === "tool_calls" ? "function_call" : FINISH_REASONS[reason];

/** OpenAI's words, then those of suppliers that copy its dialect (Mistral, Zhipu, and relays before Anthropic's API). */
const REASONS: Readonly<Record<string, FinishReason | "failed">> = {
  stop: "stop",
  length: "length",
  content_filter: "refused",
  tool_calls: "tool_calls",
  function_call: "tool_calls",
  model_length: "length",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  sensitive: "refused",
  safety: "refused",
  refusal: "refused",
  tool_use: "tool_calls",
  // OpenRouter, Mistral; DeepSeek when it runs out of machines; Zhipu.
  error: "failed",
  insufficient_system_resource: "failed",
  network_error: "failed",
};

/** What the upstream says of the end; a word that nobody knows is an ordinary end. */
export const readFinishReason = (word: string): FinishReason | "failed" =>
  REASONS[word.toLowerCase()] ?? "stop";

export const usageOf = ({ input, cacheRead, cacheWrite, output, reasoning }: AnswerUsage): Json => {
  const prompt = input + cacheRead + cacheWrite;
  return {
    prompt_tokens: prompt,
    completion_tokens: output,
    total_tokens: prompt + output,
    prompt_tokens_details: {
      cached_tokens: cacheRead,
      ...(cacheWrite > 0 ? { cache_write_tokens: cacheWrite } : {}),
    },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
};

const objectOf = (value: unknown): Json => (isObject(value) ? value : {});

/** null: nothing is reported. */
export function readUsage(value: unknown): AnswerUsage | null {
  if (!isObject(value)) return null;
  // DeepSeek and Moonshot tell of their caches beside the details.
  const cached = value.prompt_cache_hit_tokens ?? value.cached_tokens;
  const details = value.prompt_tokens_details ?? { cached_tokens: cached };
  const { tokens } = withUsage(EMPTY_READING, { ...value, prompt_tokens_details: details });
  const told = objectOf(value.completion_tokens_details).reasoning_tokens;
  const reasoning = typeof told === "number" && Number.isFinite(told) ? Math.max(0, Math.round(told)) : 0;
  return {
    input: tokens.input,
    cacheRead: tokens.cacheRead,
    cacheWrite: tokens.cacheWrite5m,
    output: tokens.output,
    reasoning: Math.min(reasoning, tokens.output),
  };
}
