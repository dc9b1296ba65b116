/** Why answers end, in Google's words (ai.google.dev/api/generate-content#FinishReason). Pure. */
import type { FinishReason } from "../../neutral.ts";

/**
 * Filters, and calls that came to nothing. The latter are no refusal, but to say "stop" would pass nothing off as
 * an answer.
 */
const REFUSALS = new Set([
  "SAFETY",
  "RECITATION",
  "LANGUAGE",
  "OTHER",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "SPII",
  "MODEL_ARMOR",
  "MALFORMED_FUNCTION_CALL",
  "MALFORMED_RESPONSE",
  "UNEXPECTED_TOOL_CALL",
  "TOO_MANY_TOOL_CALLS",
  "MISSING_THOUGHT_SIGNATURE",
  "IMAGE_SAFETY",
  "IMAGE_PROHIBITED_CONTENT",
  "IMAGE_RECITATION",
  "IMAGE_OTHER",
  "NO_IMAGE",
]);

/** `STOP` is said after calls too, and whatever stopped the model. */
export function readFinishReason(reason: string): "stop" | "length" | "refused" {
  if (reason === "MAX_TOKENS") return "length";
  return REFUSALS.has(reason) ? "refused" : "stop";
}

export const FINISH_REASONS = {
  stop: "STOP",
  stop_sequence: "STOP",
  tool_calls: "STOP",
  length: "MAX_TOKENS",
  refused: "SAFETY",
} as const satisfies Record<FinishReason, string>;
