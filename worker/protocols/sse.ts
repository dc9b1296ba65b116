/**
 * The one reader of server-sent events (WHATWG HTML, section 9.2.6), over bytes: it finds events in a
 * passing stream without decoding those that nobody asks for. Pure.
 */

import { concat } from "./bytes.ts";

/** One event: a view into the stream's bytes, only valid until the handler returns. */
export interface SseEvent {
  readonly name: string | null;
  readonly data: Uint8Array;
}

/** Events larger than this are passed over, but for their ends: usage and errors alone are never that large. */
export const INSPECTED_EVENT_BYTES_MAX = 1_000_000;
/** Holds an event's type at its beginning, and at its end what stands behind the long part of it. */
const END_BYTES = 16 * 1024;

/** What is kept of an event that was too large to be held. Views, as an event's data is. */
export interface OversizedEvent {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

const NAME_BYTES_MAX = 100;

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const EMPTY = new Uint8Array(0);
const COLON_ONLY = new Uint8Array([COLON]);
const decoder = new TextDecoder();

export interface SseLimits {
  readonly eventBytesMax?: number;
  /** An event was too large and is passed over. */
  readonly onOversized?: (event: OversizedEvent) => void;
}

export class SseReader {
  readonly #onEvent: (event: SseEvent) => void;
  readonly #eventBytesMax: number;
  readonly #onOversized: ((event: OversizedEvent) => void) | undefined;
  /** The beginning of a line whose end has not come yet, in pieces: a long line is put together once. */
  #carry: Uint8Array[] = [];
  #carryBytes = 0;
  #data: Uint8Array | null = null;
  #name: Uint8Array | null = null;
  #oversized: OversizedEvent | null = null;
  /** The carry is only the end of its line, behind a colon. */
  #cut = false;
  /** The last chunk ended with CR: an LF that follows belongs to it. */
  #swallowLf = false;
  #started = false;
  #inEvent = false;

  constructor(onEvent: (event: SseEvent) => void, limits: SseLimits = {}) {
    this.#onEvent = onEvent;
    this.#eventBytesMax = limits.eventBytesMax ?? INSPECTED_EVENT_BYTES_MAX;
    this.#onOversized = limits.onOversized;
  }

  /** True between two events (and before the first): nothing of an event is pending. */
  get atBoundary(): boolean {
    return !this.#inEvent && this.#carryBytes === 0;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.#started && this.#carryBytes > 0 && chunk.indexOf(LF) === -1 && chunk.indexOf(CR) === -1) {
      this.#hold(chunk.slice());
      if (this.#carryBytes > this.#carryBytesMax) this.#cutLine(this.#withCarry(EMPTY));
      return;
    }
    let bytes = this.#withCarry(chunk);
    if (!this.#started) {
      if (bytes.length < 3 && isBomPrefix(bytes)) {
        this.#hold(bytes.slice());
        return;
      }
      this.#started = true;
      if (isBomPrefix(bytes)) bytes = bytes.subarray(3);
    }
    const rest = bytes.indexOf(CR) === -1 ? this.#lfLines(bytes) : this.#anyLines(bytes);
    if (rest === bytes.length) return;
    if (bytes.length - rest > this.#carryBytesMax) this.#cutLine(bytes.subarray(rest));
    else this.#hold(bytes.slice(rest));
  }

  /** Dispatches a last event that lacks its blank line: upstreams do end like that. */
  end(): void {
    const last = this.#withCarry(EMPTY);
    if (last.length > 0) this.#line(last, 0, last.length);
    this.#dispatch();
  }

  /** The common case: every line ends with LF. @returns where the unfinished line begins */
  #lfLines(bytes: Uint8Array): number {
    let start = this.#swallowLf && bytes[0] === LF ? 1 : 0;
    this.#swallowLf = false;
    for (;;) {
      const end = bytes.indexOf(LF, start);
      if (end === -1) return start;
      this.#line(bytes, start, end);
      start = end + 1;
    }
  }

  #anyLines(bytes: Uint8Array): number {
    let start = this.#swallowLf && bytes[0] === LF ? 1 : 0;
    this.#swallowLf = false;
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte !== LF && byte !== CR) continue;
      this.#line(bytes, start, at);
      if (byte === CR) {
        if (at + 1 === bytes.length) this.#swallowLf = true;
        else if (bytes[at + 1] === LF) at++;
      }
      start = at + 1;
    }
    return start;
  }

  #hold(piece: Uint8Array): void {
    this.#carry.push(piece);
    this.#carryBytes += piece.length;
  }

  get #carryBytesMax(): number {
    return this.#cut ? 2 * END_BYTES : this.#eventBytesMax;
  }

  /** What was held and the bytes behind it; nothing is held any more. */
  #withCarry(chunk: Uint8Array): Uint8Array {
    if (this.#carryBytes === 0) return chunk;
    const bytes = concat([...this.#carry, chunk]);
    this.#carry = [];
    this.#carryBytes = 0;
    return bytes;
  }

  /** The line is too large to hold: from here on only its end is, as a comment. */
  #cutLine(rest: Uint8Array): void {
    this.#inEvent = true;
    this.#passOver(this.#cut ? rest : (fieldValue(rest, 0, rest.length, DATA) ?? EMPTY));
    this.#cut = true;
    this.#hold(concat([COLON_ONLY, rest.subarray(-END_BYTES)]));
  }

  #passOver(data: Uint8Array): void {
    const head = this.#oversized?.head ?? data.slice(0, END_BYTES);
    this.#oversized = { head, tail: data.slice(-END_BYTES) };
  }

  #line(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) {
      this.#dispatch();
      return;
    }
    this.#inEvent = true;
    if (this.#cut) {
      this.#cut = false;
      this.#passOver(bytes.subarray(start + 1, end));
      return;
    }
    // Only two fields matter here; `d` and `e` tell them from `id`, `retry` and comments at one glance.
    if (bytes[start] === 0x64) this.#dataLine(bytes, start, end);
    else if (bytes[start] === 0x65) this.#nameLine(bytes, start, end);
  }

  #dataLine(bytes: Uint8Array, start: number, end: number): void {
    const value = fieldValue(bytes, start, end, DATA);
    if (value === null) return;
    if ((this.#data?.length ?? 0) + value.length > this.#eventBytesMax) this.#passOver(value);
    else this.#data = this.#data === null ? value : joinLines(this.#data, value);
  }

  #nameLine(bytes: Uint8Array, start: number, end: number): void {
    const value = fieldValue(bytes, start, end, EVENT);
    if (value !== null) this.#name = value.length > NAME_BYTES_MAX ? null : value;
  }

  #dispatch(): void {
    const [name, data, oversized] = [this.#name, this.#data, this.#oversized];
    this.#name = null;
    this.#data = null;
    this.#oversized = null;
    this.#inEvent = false;
    if (oversized !== null) this.#onOversized?.(oversized);
    else if (data !== null) this.#onEvent(new PassingEvent(name, data));
  }
}

/** Hardly anybody asks for the name, and decoding it costs more than everything else about an event. */
class PassingEvent implements SseEvent {
  readonly data: Uint8Array;
  readonly #name: Uint8Array | null;

  constructor(name: Uint8Array | null, data: Uint8Array) {
    this.#name = name;
    this.data = data;
  }

  get name(): string | null {
    return this.#name === null ? null : decoder.decode(this.#name);
  }
}

const DATA = new TextEncoder().encode("data");
const EVENT = new TextEncoder().encode("event");

/** The value of a line if it is the field wanted: at most one leading space is removed. */
function fieldValue(bytes: Uint8Array, start: number, end: number, field: Uint8Array): Uint8Array | null {
  for (let i = 0; i < field.length; i++) if (bytes[start + i] !== field[i]) return null;
  const after = start + field.length;
  if (after === end) return EMPTY;
  if (after > end || bytes[after] !== COLON) return null;
  return bytes.subarray(after + 1 < end && bytes[after + 1] === SPACE ? after + 2 : after + 1, end);
}

function joinLines(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + 1 + second.length);
  joined.set(first);
  joined[first.length] = LF;
  joined.set(second, first.length + 1);
  return joined;
}

const BOM = [0xef, 0xbb, 0xbf];
const isBomPrefix = (bytes: Uint8Array) => BOM.every((byte, i) => i >= bytes.length || bytes[i] === byte);
