/** Looks into the messages of a call, where the relay must: rarely, since it means parsing all of them. Pure. */
import { isObject, type Json } from "../../domain/json.ts";
import { parseAt, spliceJson, topLevelFields } from "../json-fields.ts";

function messagesOf(body: Uint8Array): { messages: unknown[]; range: { start: number; end: number } } | null {
  const range = topLevelFields(body).get("messages");
  const messages = range === undefined ? null : parseAt(body, range);
  return range !== undefined && Array.isArray(messages) ? { messages, range } : null;
}

const blocksOf = (message: unknown): readonly unknown[] =>
  isObject(message) && Array.isArray(message.content) ? message.content : [];

const typeOf = (block: unknown): unknown => (isObject(block) ? block.type : null);

/** A person's message ends the conversation: the last one is the user's and carries no tool's result. */
export function isUserTurn(body: Uint8Array): boolean {
  const last = messagesOf(body)?.messages.findLast(
    (message) => isObject(message) && message.role !== "system",
  );
  if (!isObject(last) || last.role !== "user") return false;
  return blocksOf(last).every((block) => typeOf(block) !== "tool_result");
}

/** Thinking is signed by the account that thought; another one may refuse the signature. */
const BOUND_BLOCKS: readonly unknown[] = ["thinking", "redacted_thinking"];

export function withoutBoundParts(
  body: Uint8Array,
): { readonly body: Uint8Array; readonly removed: string } | null {
  const found = messagesOf(body);
  if (found === null) return null;
  let removed = 0;
  const messages = found.messages.flatMap((message) => {
    const blocks = blocksOf(message);
    const kept = blocks.filter((block) => !BOUND_BLOCKS.includes(typeOf(block)));
    if (kept.length === blocks.length) return [message];
    removed += blocks.length - kept.length;
    return kept.length === 0 ? [] : [{ ...(message as Json), content: kept }];
  });
  if (removed === 0) return null;
  return {
    body: spliceJson(body, found.range, messages),
    removed: `${String(removed)} thinking blocks`,
  };
}
