/** Looks into the input of a call, where the relay must: rarely, since it means parsing all of it. Pure. */
import { isObject } from "../../domain/json.ts";
import { parseAt, spliceJson, topLevelFields, type FieldRange } from "../json-fields.ts";

function inputOf(body: Uint8Array): { readonly input: unknown; readonly range: FieldRange } | null {
  const range = topLevelFields(body).get("input");
  return range === undefined ? null : { input: parseAt(body, range), range };
}

/** A person's message ends the input, and not a tool's output. */
export function isUserTurn(body: Uint8Array): boolean {
  const found = inputOf(body);
  if (found === null || !Array.isArray(found.input)) return typeof found?.input === "string";
  const last: unknown = found.input.at(-1);
  return isObject(last) && last.role === "user" && (last.type === undefined || last.type === "message");
}

/** Reasoning is encrypted for the organization that reasoned; another one refuses it. */
const isBound = (item: unknown): boolean =>
  isObject(item) && item.type === "reasoning" && typeof item.encrypted_content === "string";

export function withoutBoundParts(
  body: Uint8Array,
): { readonly body: Uint8Array; readonly removed: string } | null {
  const found = inputOf(body);
  if (found === null || !Array.isArray(found.input)) return null;
  const kept: unknown[] = found.input.filter((item) => !isBound(item));
  const removed = found.input.length - kept.length;
  if (removed === 0) return null;
  return { body: spliceJson(body, found.range, kept), removed: `${String(removed)} reasoning items` };
}
