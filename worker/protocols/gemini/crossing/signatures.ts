/** Thought signatures, Gemini's own and those of other dialects that a Gemini client carries for them. Pure. */
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
  bound.origin === "gemini" ? bound.data : toBase64(boundText(bound, "gemini"));

/** @returns null for what stands in place of a signature */
export function readSignature(text: string): Bound | null {
  if (text === "" || PLACEHOLDERS.has(text)) return null;
  const beginning = fromBase64(text.slice(0, ORIGIN_CHARACTERS)) ?? "";
  const isForeign = readBound(beginning, "gemini").origin !== "gemini";
  return readBound((isForeign ? fromBase64(text) : null) ?? text, "gemini");
}

const toBase64 = (text: string): string =>
  btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));

/** In either alphabet, padded or not; null for what is none. */
function fromBase64(text: string): string | null {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  } catch {
    return null;
  }
}
