/** Looks into the contents of a call, where the relay must: rarely, since it means parsing all of them. Pure. */
import { isObject } from "../../domain/json.ts";
import { parseAt, spliceJson, type FieldRange } from "../json-fields.ts";
import { fieldOf, requestFields } from "./request-fields.ts";
import { NO_SIGNATURE } from "./crossing/signatures.ts";

function contentsOf(body: Uint8Array): { contents: unknown[]; range: FieldRange } | null {
  const range = fieldOf(requestFields(body), "contents");
  const contents = range === undefined ? null : parseAt(body, range);
  return range !== undefined && Array.isArray(contents) ? { contents, range } : null;
}

const partsOf = (content: unknown): readonly unknown[] =>
  isObject(content) && Array.isArray(content.parts) ? content.parts : [];

const answersTool = (part: unknown): boolean =>
  isObject(part) && ("functionResponse" in part || "function_response" in part);

/** A person's message ends the conversation: the last content is the user's and carries no function's answer. */
export function isUserTurn(body: Uint8Array): boolean {
  const last = contentsOf(body)?.contents.at(-1);
  if (!isObject(last) || (last.role !== undefined && last.role !== "user")) return false;
  return !partsOf(last).some(answersTool);
}

const SIGNATURES = ["thoughtSignature", "thought_signature"] as const;

/** Thoughts are signed where they were thought; another upstream may refuse the signature. */
export function withoutBoundParts(
  body: Uint8Array,
): { readonly body: Uint8Array; readonly removed: string } | null {
  const found = contentsOf(body);
  if (found === null) return null;
  let removed = 0;
  const withoutSignature = (part: unknown): unknown => {
    if (!isObject(part) || !SIGNATURES.some((name) => name in part)) return part;
    removed++;
    const { thoughtSignature: _, thought_signature: __, ...rest } = part;
    const isCall = "functionCall" in rest || "function_call" in rest;
    return isCall ? { ...rest, thoughtSignature: NO_SIGNATURE } : rest;
  };
  const contents = found.contents.map((content) =>
    isObject(content) && Array.isArray(content.parts)
      ? { ...content, parts: content.parts.map(withoutSignature) }
      : content,
  );
  if (removed === 0) return null;
  return {
    body: spliceJson(body, found.range, contents),
    removed: `${String(removed)} thought signatures`,
  };
}
