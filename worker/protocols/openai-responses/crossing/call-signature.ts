/**
 * Signatures of tool calls (Gemini signs them) in the one field of this dialect that a client gives back unread:
 * the encrypted content of a reasoning item, with the id of the call before it. Pure.
 */
import type { Bound } from "../../neutral.ts";
import { boundText, readBound } from "../../neutral.ts";

const OWN = "openai-responses";
const CALL = /^call:([A-Za-z0-9_-]{1,64})#/;

export const callSignatureText = (callId: string, signature: Bound): string =>
  `call:${callId}#${boundText(signature, OWN)}`;

/** null: it is not a call's signature. */
export function readCallSignature(
  text: string,
): { readonly callId: string; readonly signature: Bound } | null {
  const [prefix, callId] = CALL.exec(text) ?? [];
  return prefix === undefined || callId === undefined
    ? null
    : { callId, signature: readBound(text.slice(prefix.length), OWN) };
}
