/** Usage of an answer in the neutral form, and as Anthropic's clients are told it. Pure. */
import type { UsageReading } from "../../../domain/usage.ts";
import type { AnswerUsage, FinishReason } from "../../neutral.ts";
import { objectOf } from "./json.ts";

export const NO_ANSWER_USAGE: AnswerUsage = {
  input: 0,
  cacheRead: 0,
  cacheWrite: 0,
  output: 0,
  reasoning: 0,
};

/** @param usage the `usage` that was read last, for what the ledger does not count */
export function answerUsage({ tokens }: UsageReading, usage: unknown, before: number): AnswerUsage {
  const thinking = objectOf(objectOf(usage).output_tokens_details).thinking_tokens;
  const isCount = typeof thinking === "number" && Number.isFinite(thinking) && thinking > 0;
  return {
    input: tokens.input,
    cacheRead: tokens.cacheRead,
    cacheWrite: tokens.cacheWrite5m + tokens.cacheWrite1h,
    output: tokens.output,
    reasoning: Math.min(isCount ? Math.round(thinking) : before, tokens.output),
  };
}

export const usageFields = ({ input, cacheRead, cacheWrite, output, reasoning }: AnswerUsage) => ({
  input_tokens: input,
  cache_creation_input_tokens: cacheWrite,
  cache_read_input_tokens: cacheRead,
  output_tokens: output,
  output_tokens_details: reasoning === 0 ? null : { thinking_tokens: reasoning },
});

export const STOP_REASONS = {
  stop: "end_turn",
  stop_sequence: "stop_sequence",
  length: "max_tokens",
  tool_calls: "tool_use",
  refused: "refusal",
} as const satisfies Record<FinishReason, string>;

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: "stop",
  pause_turn: "stop",
  stop_sequence: "stop_sequence",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_calls",
  refusal: "refused",
};

/** What Anthropic may add is an end like any other. */
export const finishReason = (stopReason: string): FinishReason =>
  Object.hasOwn(FINISH_REASONS, stopReason) ? (FINISH_REASONS[stopReason] ?? "stop") : "stop";
