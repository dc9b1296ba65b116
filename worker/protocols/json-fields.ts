/**
 * Finds the fields of a JSON object in its bytes without parsing what lies inside them, so that a call of
 * hundreds of kilobytes costs a scan and not an object tree, and an unchanged body stays the bytes received.
 * Pure.
 */
import { RelayError } from "../domain/errors.ts";
import { isObject, parseJson, type Json } from "../domain/json.ts";

/** Half-open byte range of a value. */
export interface FieldRange {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
/** Strings shorter than this are scanned in script: a native search costs more to call than it saves. */
const SHORT_STRING_BYTES = 32;
/** Keys longer than this belong to no protocol; they are skipped, not decoded. */
const KEY_BYTES_MAX = 200;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

const broken = (what: string, at: number) =>
  new RelayError("invalid_request", `The request body is not valid JSON: ${what} at byte ${String(at)}.`);

const isSpace = (byte: number | undefined) =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at++;
  return at;
}

/** @param from the byte after the opening quote; @returns the byte after the closing one */
function skipString(bytes: Uint8Array, from: number): number {
  let at = from;
  for (const near = Math.min(bytes.length, from + SHORT_STRING_BYTES); at < near; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at++;
  }
  for (;;) {
    const quote = bytes.indexOf(QUOTE, at);
    if (quote === -1) throw broken("a string does not end", from);
    let slashes = 0;
    while (quote - 1 - slashes >= at && bytes[quote - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

/** Skips an object or array by counting brackets outside strings: no recursion, so no depth can overflow it. */
function skipNested(bytes: Uint8Array, from: number): number {
  let depth = 0;
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at++];
    if (byte === QUOTE) at = skipString(bytes, at);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return at;
  }
  throw broken("a bracket does not close", from);
}

function skipScalar(bytes: Uint8Array, from: number): number {
  let at = from;
  for (; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte)) break;
  }
  if (at === from) throw broken("a value is missing", from);
  return at;
}

function skipValue(bytes: Uint8Array, from: number): number {
  const byte = bytes[from];
  if (byte === QUOTE) return skipString(bytes, from + 1);
  if (byte === OPEN_BRACE || byte === OPEN_BRACKET) return skipNested(bytes, from);
  const end = skipScalar(bytes, from);
  parseAt(bytes, { start: from, end });
  return end;
}

function keyText(bytes: Uint8Array, start: number, end: number): string | null {
  if (end - start > KEY_BYTES_MAX) return null;
  // The names that protocols have are plain letters, which need no decoder.
  let text = "";
  for (let at = start + 1; at < end - 1; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === BACKSLASH || byte < 0x20 || byte > 0x7e) return String(parseAt(bytes, { start, end }));
    text += String.fromCharCode(byte);
  }
  return text;
}

/**
 * The top-level fields of a JSON object, by name. What lies inside nested values is not validated.
 *
 * @throws RelayError `invalid_request` when the bytes are not one JSON object, or name a field twice: an
 * upstream might read the other one than we do
 */
export function topLevelFields(bytes: Uint8Array): Map<string, FieldRange> {
  const fields = new Map<string, FieldRange>();
  let at = skipSpace(bytes, hasByteOrderMark(bytes) ? 3 : 0);
  if (bytes[at] !== OPEN_BRACE)
    throw new RelayError("invalid_request", "The request body must be a JSON object.");
  at = skipSpace(bytes, at + 1);
  if (bytes[at] !== CLOSE_BRACE) at = readFields(bytes, at, fields);
  at = skipSpace(bytes, at + 1);
  if (at !== bytes.length) throw broken("unexpected data after the object", at);
  return fields;
}

/** @returns the position of the object's closing brace */
function readFields(bytes: Uint8Array, from: number, fields: Map<string, FieldRange>): number {
  let at = from;
  for (;;) {
    if (bytes[at] !== QUOTE) throw broken("a field name is missing", at);
    const keyEnd = skipString(bytes, at + 1);
    const name = keyText(bytes, at, keyEnd);
    at = skipSpace(bytes, keyEnd);
    if (bytes[at] !== COLON) throw broken("a colon is missing", at);
    const start = skipSpace(bytes, at + 1);
    const end = skipValue(bytes, start);
    if (name !== null) {
      if (fields.has(name)) throw new RelayError("invalid_request", `The field "${name}" is given twice.`);
      fields.set(name, { start, end });
    }
    at = skipSpace(bytes, end);
    if (bytes[at] === CLOSE_BRACE) return at;
    if (bytes[at] !== COMMA) throw broken("a comma or a closing brace is missing", at);
    at = skipSpace(bytes, at + 1);
  }
}

/**
 * The elements of the array at a range, in order.
 *
 * @throws RelayError `invalid_request` when it is no array
 */
export function elementsAt(bytes: Uint8Array, range: FieldRange): FieldRange[] {
  const elements: FieldRange[] = [];
  let at = skipSpace(bytes, range.start);
  if (bytes[at] !== OPEN_BRACKET) throw broken("a list is missing", range.start);
  at = skipSpace(bytes, at + 1);
  while (bytes[at] !== CLOSE_BRACKET) {
    const end = skipValue(bytes, at);
    elements.push({ start: at, end });
    at = skipSpace(bytes, end);
    if (bytes[at] === CLOSE_BRACKET) break;
    if (bytes[at] !== COMMA) throw broken("a comma or a closing bracket is missing", at);
    at = skipSpace(bytes, at + 1);
  }
  return elements;
}

const hasByteOrderMark = (bytes: Uint8Array) => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;

/** @throws RelayError `invalid_request` when the range is not one JSON value */
export function parseAt(bytes: Uint8Array, range: FieldRange): unknown {
  try {
    return JSON.parse(decoder.decode(bytes.subarray(range.start, range.end))) as unknown;
  } catch {
    throw broken("an unreadable value", range.start);
  }
}

const lenient = new TextDecoder();
/** Parsing costs less than scanning up to about here; an answer that holds pictures is not to be in memory thrice. */
const PARSED_BYTES_MAX = 256 * 1024;

/** Some fields of an answer that is passed on as it is; null: it is no JSON object. */
export function readFieldsOf(bytes: Uint8Array, names: readonly string[]): Json | null {
  if (bytes.length <= PARSED_BYTES_MAX) {
    const value = parseJson(lenient.decode(bytes));
    return isObject(value) && !Array.isArray(value) ? value : null;
  }
  try {
    const ranges = topLevelFields(bytes);
    return Object.fromEntries(
      names.flatMap((name) => {
        const range = ranges.get(name);
        return range === undefined ? [] : [[name, parseAt(bytes, range)] as const];
      }),
    );
  } catch {
    return null;
  }
}

/** The bytes with one value replaced and all else as it was. */
export function spliceJson(bytes: Uint8Array, range: FieldRange, value: unknown): Uint8Array {
  const replacement = new TextEncoder().encode(JSON.stringify(value));
  const spliced = new Uint8Array(bytes.length - (range.end - range.start) + replacement.length);
  spliced.set(bytes.subarray(0, range.start));
  spliced.set(replacement, range.start);
  spliced.set(bytes.subarray(range.end), range.start + replacement.length);
  return spliced;
}
