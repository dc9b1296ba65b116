/** The body of a Messages call as Bedrock takes it: every value keeps the client's bytes, unless Bedrock refuses it. Pure. */
import { elementsAt, parseAt, topLevelFields, type FieldRange } from "../../protocols/json-fields.ts";

/** Amazon Bedrock user guide, "Anthropic Claude Messages API": the only version there is. */
const ANTHROPIC_VERSION = "bedrock-2023-05-31";
/** What the path says at Bedrock, and what is written anew. */
const REPLACED = ["model", "stream", "anthropic_version", "anthropic_beta"];
/** Flags of one call; Claude Code sends about ten. */
const BETAS_MAX = 100;

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A part of the body: text of ours, or a range of the client's bytes. */
type Piece = string | FieldRange;

const flagsIn = (header: string | null): string[] =>
  (header ?? "")
    .split(",")
    .map((flag) => flag.trim())
    .filter((flag) => flag !== "");

/**
 * The client's beta flags, which are a header at Anthropic and a field at Bedrock. All of them go on: which ones
 * Bedrock knows differs by model and changes by the week, and it says itself which one it refuses.
 */
function betasOf(body: Uint8Array, field: FieldRange | undefined, header: string | null): string[] {
  const own: unknown = field === undefined ? [] : parseAt(body, field);
  const named = Array.isArray(own) ? own.filter((flag) => typeof flag === "string") : [];
  return [...new Set([...named, ...flagsIn(header)])].slice(0, BETAS_MAX);
}

export interface BodyOptions {
  /** The client's `anthropic-beta` header. */
  readonly betas: string | null;
  /** Where the client names no `max_tokens`, one is added: counting needs none at Anthropic, and any at Bedrock. */
  readonly addMaxTokens: boolean;
}

/** @throws RelayError `invalid_request` when the bytes are not one JSON object */
export function bedrockBody(body: Uint8Array, { betas, addMaxTokens }: BodyOptions): Uint8Array<ArrayBuffer> {
  const fields = topLevelFields(body);
  const flags = betasOf(body, fields.get("anthropic_beta"), betas);
  const pieces: Piece[] = [`{"anthropic_version":"${ANTHROPIC_VERSION}"`];
  if (flags.length > 0) pieces.push(`,"anthropic_beta":${JSON.stringify(flags)}`);
  if (addMaxTokens && !fields.has("max_tokens")) {
    pieces.push(`,"max_tokens":${String(tokensBeyondThinking(body, fields.get("thinking")))}`);
  }
  const scopes = scopesIn(body, fields);
  for (const [name, range] of fields) {
    if (REPLACED.includes(name)) continue;
    pieces.push(`,${JSON.stringify(name)}:`, ...without(scopes, range));
  }
  pieces.push("}");
  return joined(body, pieces);
}

/** `max_tokens` must be greater than the budget for thinking. */
function tokensBeyondThinking(body: Uint8Array, range: FieldRange | undefined): number {
  const thinking = range === undefined ? null : parseAt(body, range);
  const budget =
    typeof thinking === "object" && thinking !== null && "budget_tokens" in thinking
      ? thinking.budget_tokens
      : null;
  return (typeof budget === "number" && Number.isSafeInteger(budget) && budget > 0 ? budget : 0) + 1;
}

interface Replacement {
  readonly range: FieldRange;
  readonly text: string;
}

/**
 * The `cache_control` objects with a `scope`, and what they are without: Bedrock refuses the field ("Extra inputs are
 * not permitted"), which Claude Code sends to Anthropic. `ttl` stays, since it changes what the cache costs.
 */
function scopesIn(body: Uint8Array, fields: ReadonlyMap<string, FieldRange>): Replacement[] {
  const found: Replacement[] = [];
  visit(body, fields.get("cache_control"), found);
  for (const name of ["system", "tools", "messages"]) {
    for (const holder of objectsIn(body, fields.get(name))) blockScopes(body, holder, found);
  }
  return found;
}

/** Of a block, and of the blocks inside it: a message holds blocks, and a tool's result does too. */
function blockScopes(body: Uint8Array, holder: FieldRange, found: Replacement[], depth = 0): void {
  // Only `"scope"` matters, and to search for it costs less than to read the fields.
  if (!decoder.decode(body.subarray(holder.start, holder.end)).includes('"scope"')) return;
  const fields = fieldsAt(body, holder);
  visit(body, fields.get("cache_control"), found);
  if (depth === 2) return;
  for (const inner of objectsIn(body, fields.get("content"))) blockScopes(body, inner, found, depth + 1);
}

function visit(body: Uint8Array, range: FieldRange | undefined, found: Replacement[]): void {
  if (range === undefined || body[range.start] !== OPEN_BRACE) return;
  const control = parseAt(body, range);
  if (typeof control !== "object" || control === null || !("scope" in control)) return;
  const { scope: _, ...rest } = control;
  found.push({ range, text: JSON.stringify(rest) });
}

function objectsIn(body: Uint8Array, range: FieldRange | undefined): FieldRange[] {
  if (range === undefined || body[range.start] !== OPEN_BRACKET) return [];
  return elementsAt(body, range).filter(({ start }) => body[start] === OPEN_BRACE);
}

function fieldsAt(body: Uint8Array, { start, end }: FieldRange): Map<string, FieldRange> {
  const fields = topLevelFields(body.subarray(start, end));
  return new Map(
    [...fields].map(([name, range]) => [name, { start: range.start + start, end: range.end + start }]),
  );
}

/** A value with the replacements that lie inside it, which come in the order of the bytes or are put so. */
function without(replacements: readonly Replacement[], value: FieldRange): Piece[] {
  const inside = replacements
    .filter(({ range }) => range.start >= value.start && range.end <= value.end)
    .sort((a, b) => a.range.start - b.range.start);
  const pieces: Piece[] = [];
  let at = value.start;
  for (const { range, text } of inside) {
    pieces.push({ start: at, end: range.start }, text);
    at = range.end;
  }
  return [...pieces, { start: at, end: value.end }];
}

function joined(body: Uint8Array, pieces: readonly Piece[]): Uint8Array<ArrayBuffer> {
  const parts = pieces.map((piece) =>
    typeof piece === "string" ? encoder.encode(piece) : body.subarray(piece.start, piece.end),
  );
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
