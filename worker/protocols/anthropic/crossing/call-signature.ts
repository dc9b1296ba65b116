/**
 * Signatures of tool calls, which this dialect has no field for: they travel in a thinking block without text, which
 * clients keep and send back as it was. It names its call, so that it finds it again wherever a client puts it. Pure.
 */
import { boundText, readBound, type Bound } from "../../neutral.ts";
import { safeToolId } from "../../tool-names.ts";

/** Anthropic's own signatures are base64 and never have a colon. */
const SIGNED_CALL = /^call:([A-Za-z0-9_-]+):(.*)$/s;

export const callSignatureText = (callId: string, signature: Bound): string =>
  `call:${safeToolId(callId)}:${boundText(signature, "anthropic")}`;

/** Null: it is a signature of thinking. */
export function readCallSignature(
  text: string,
): { readonly callId: string; readonly signature: Bound } | null {
  const [, callId, bound] = SIGNED_CALL.exec(text) ?? [];
  if (callId === undefined || bound === undefined) return null;
  return { callId, signature: readBound(bound, "anthropic") };
}
