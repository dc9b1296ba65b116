/** What calls of OpenAI's dialects have in common. Everything that is not read here passes through unseen. Pure. */
import { RelayError } from "../../domain/errors.ts";
import { elementsAt, parseAt, type FieldRange } from "../json-fields.ts";
import type { AffinitySource, ClientCall, ParsedCall } from "../protocol.ts";

export type Fields = ReadonlyMap<string, FieldRange>;

const MODEL_LENGTH_MAX = 256;
const SESSION_ID = /^[A-Za-z0-9_.:-]{8,200}$/;
/** In the order in which Codex and the tools around it have named a conversation. */
const SESSION_HEADERS = ["session-id", "session_id", "x-session-id", "conversation_id"] as const;
const SESSION_FIELDS = ["prompt_cache_key", "session_id", "conversation_id"] as const;
/** A prompt begins with a few instructions; where none of so many items is a person's, the first few must do. */
const OPENING_ITEMS_MAX = 8;

const invalid = (message: string) => new RelayError("invalid_request", message);

/** @throws RelayError `invalid_request` when one of these is missing */
export function requireFields(fields: Fields, names: readonly string[]): void {
  for (const name of names) if (!fields.has(name)) throw invalid(`Missing required parameter: '${name}'.`);
}

export function parseBasics(
  body: Uint8Array,
  fields: Fields,
): Pick<ParsedCall, "model" | "modelRange" | "stream"> {
  const modelRange = fields.get("model");
  if (modelRange === undefined) throw invalid("Missing required parameter: 'model'.");
  const model = parseAt(body, modelRange);
  if (typeof model !== "string" || model.length === 0 || model.length > MODEL_LENGTH_MAX) {
    throw invalid("Invalid type for 'model': expected the name of a model.");
  }
  if (/[\p{Cc}\p{Cs}]/u.test(model))
    throw invalid("Invalid value for 'model': expected the name of a model.");
  return { model, modelRange, stream: streamOf(body, fields.get("stream")) };
}

function streamOf(body: Uint8Array, range: FieldRange | undefined): boolean {
  const stream = range === undefined ? null : parseAt(body, range);
  if (stream === null) return false;
  if (typeof stream !== "boolean") throw invalid("Invalid type for 'stream': expected a boolean.");
  return stream;
}

/** The first of these fields that names a limit; what is no number is the upstream's to refuse. */
export function outputTokensMaxOf(body: Uint8Array, fields: Fields, names: readonly string[]): number | null {
  for (const name of names) {
    const range = fields.get(name);
    const max = range === undefined ? null : parseAt(body, range);
    if (typeof max === "number" && Number.isFinite(max) && max > 0) return Math.ceil(max);
  }
  return null;
}

/** The client's own name for the conversation, else how its prompt begins. */
export function affinityOf(
  { body, headers }: ClientCall,
  fields: Fields,
  opening: () => readonly FieldRange[],
): AffinitySource {
  for (const name of SESSION_HEADERS) {
    const id = headers.get(name);
    if (id !== null && SESSION_ID.test(id)) return { kind: "session", id };
  }
  for (const name of SESSION_FIELDS) {
    const range = fields.get(name);
    const id = range === undefined ? null : parseAt(body, range);
    if (typeof id === "string" && SESSION_ID.test(id)) return { kind: "session", id };
    // A key of any other form goes in as a hash.
    if (range !== undefined && typeof id === "string" && id !== "")
      return { kind: "prefix", ranges: [range] };
  }
  const ranges = opening();
  return ranges.length === 0 ? { kind: "none" } : { kind: "prefix", ranges };
}

const USER_ROLE = /"role"\s*:\s*"user"/;

/**
 * The items of a prompt up to the first that is a person's: what all conversations of a client share, and what
 * tells them apart. A lone item without instructions gains nothing from any account in particular.
 */
export function openingItems(body: Uint8Array, list: FieldRange, hasInstructions: boolean): FieldRange[] {
  const items = elementsAt(body, list);
  if (items.length <= 1 && !hasInstructions) return [];
  const decoder = new TextDecoder();
  const first = items
    .slice(0, OPENING_ITEMS_MAX)
    .findIndex(({ start, end }) => USER_ROLE.test(decoder.decode(body.subarray(start, end))));
  return items.slice(0, first === -1 ? 1 : first + 1);
}
