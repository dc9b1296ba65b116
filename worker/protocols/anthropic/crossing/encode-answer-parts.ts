/** What streamed and whole answers have in common. Pure. */
import type { AnswerEvent, AnswerFacts, AnswerUsage } from "../../neutral.ts";
import { NO_ANSWER_USAGE, usageFields } from "./answer-usage.ts";

/** A message as it is before anything is said. */
export const messageStart = (facts: AnswerFacts) => ({
  id: `msg_${facts.id}`,
  type: "message",
  role: "assistant",
  model: facts.model,
  content: [] as readonly unknown[],
  stop_reason: null as string | null,
  stop_sequence: null as string | null,
  stop_details: null,
  container: null,
  usage: usageOf(NO_ANSWER_USAGE),
});

export const usageOf = (usage: AnswerUsage) => ({
  ...usageFields(usage),
  cache_creation: null,
  server_tool_use: null,
  service_tier: null,
});

export const mediaNote = ({ mediaType, data }: Extract<AnswerEvent, { kind: "media" }>): string =>
  `[The model made a picture (${mediaType}, ${String(Math.ceil((data.length * 3) / 4096))} kB), which this protocol cannot show.]`;

const ERROR_TYPES = [
  "api_error",
  "authentication_error",
  "billing_error",
  "invalid_request_error",
  "not_found_error",
  "overloaded_error",
  "permission_error",
  "rate_limit_error",
  "request_too_large",
  "timeout_error",
];

/** Other dialects' words for the same, as Claude's clients decide by the type whether to try again. */
const LIKENESSES: readonly (readonly [word: RegExp, type: string])[] = [
  [/overload|unavailable|capacity/i, "overloaded_error"],
  [/rate_?limit|quota|exhausted|too_many/i, "rate_limit_error"],
  [/timeout|deadline/i, "timeout_error"],
  [/invalid|failed_precondition|context_length/i, "invalid_request_error"],
];

export function errorBody({ type, message }: Extract<AnswerEvent, { kind: "error" }>) {
  const like = LIKENESSES.find(([word]) => word.test(type))?.[1] ?? "api_error";
  return { type: "error", error: { type: ERROR_TYPES.includes(type) ? type : like, message } };
}
