/** Thought signatures, Gemini's own and those of other dialects that a Gemini client carries for them. Pure. */
import { fromBase64, toBase64 } from "../../../domain/encoding.ts";
import { boundText, readBound, type Bound } from "../../neutral.ts";

/**
 * Said in place of a signature for a history from elsewhere (ai.google.dev/gemini-api/docs/thought-signatures): a
 * function call without any is refused.
 */
export const NO_SIGNATURE = "skip_thought_signature_validator";

/** What clients write where they have no signature; SDKs with a type for bytes write it as base64. */
const PLACEHOLDERS = new Set(
  [NO_SIGNATURE, "context_engineering_is_the_way_to_go"].flatMap((text) => [text, btoa(text)]),
);

/** Long enough for the longest name of a dialect and its `#`. */
const ORIGIN_CHARACTERS = 32;

/** In the field `thoughtSignature`, which is bytes: some SDKs refuse what is no base64. */
export const signatureText = (bound: Bound): string =>
  bound.origin === "gemini" ? bound.data : textToBase64(boundText(bound, "gemini"));

/** @returns null for what stands in place of a signature */
export function readSignature(text: string): Bound | null {
  if (text === "" || PLACEHOLDERS.has(text)) return null;
  const beginning = textFromBase64(text.slice(0, ORIGIN_CHARACTERS)) ?? "";
  const isForeign = readBound(beginning, "gemini").origin !== "gemini";
  return readBound((isForeign ? textFromBase64(text) : null) ?? text, "gemini");
}

const textToBase64 = (text: string): string => toBase64(new TextEncoder().encode(text));

/** null for what is no base64. */
function textFromBase64(text: string): string | null {
  try {
    return new TextDecoder().decode(fromBase64(text));
  } catch {
    return null;
  }
}
