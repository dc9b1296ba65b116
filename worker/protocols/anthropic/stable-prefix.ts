/**
 * The part of a prompt that stays the same from turn to turn, for clients that send no session id: what shares a
 * prompt cache should share an account. Pure.
 */
import { elementsAt, type FieldRange } from "../json-fields.ts";

const OPEN_BRACKET = 0x5b;
const CACHE_MARK = '"cache_control"';
/** Claude Code puts its version and the kind of the request here: another text with each of them. */
const VOLATILE_TEXT = "x-anthropic-billing-header";

const decoder = new TextDecoder();
const textAt = (body: Uint8Array, { start, end }: FieldRange) => decoder.decode(body.subarray(start, end));

/**
 * Tools and system prompt, in the order in which Anthropic caches them, up to the last block that is marked for
 * the cache where one is. The first message belongs to it where the client caches messages too, or marks nothing:
 * then it tells conversations apart that have the same instructions.
 */
export function stablePrefix(body: Uint8Array, fields: ReadonlyMap<string, FieldRange>): FieldRange[] {
  const tools = fields.get("tools");
  const system = fields.get("system");
  const messages = fields.get("messages");
  const instructions = system === undefined ? [] : instructionsAt(body, system);
  const marks = (range: FieldRange | undefined) =>
    range !== undefined && textAt(body, range).includes(CACHE_MARK);
  // A bare message gains nothing from any account in particular.
  if (tools === undefined && instructions.length === 0 && !marks(messages)) return [];
  const caches = marks(tools) || marks(system);
  const first =
    messages === undefined || (caches && !marks(messages)) ? undefined : elementsAt(body, messages)[0];
  return [tools, ...instructions, first].filter((range) => range !== undefined);
}

function instructionsAt(body: Uint8Array, system: FieldRange): FieldRange[] {
  if (body[system.start] !== OPEN_BRACKET) return [system];
  const blocks = elementsAt(body, system).map((range) => ({ range, text: textAt(body, range) }));
  const lastMarked = blocks.findLastIndex(({ text }) => text.includes(CACHE_MARK));
  return blocks
    .slice(0, lastMarked === -1 ? undefined : lastMarked + 1)
    .filter(({ text }) => !text.includes(VOLATILE_TEXT))
    .map(({ range }) => range);
}
