/** Looks into the messages of a call, where the relay must: rarely, since it means parsing all of them. Pure. */
import { isObject } from "../../domain/json.ts";
import { parseAt, topLevelFields } from "../json-fields.ts";

/** A person's message ends the conversation, and not a tool's answer. */
export function isUserTurn(body: Uint8Array): boolean {
  const range = topLevelFields(body).get("messages");
  const messages = range === undefined ? null : parseAt(body, range);
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : null;
  return isObject(last) && last.role === "user";
}
