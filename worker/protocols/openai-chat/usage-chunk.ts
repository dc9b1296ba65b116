/**
 * A stream's usage comes in a chunk of its own, and only to those who ask. The relay asks for it where the client
 * did not, and takes the chunk out again: clients that did not ask expect a choice in every chunk. Pure.
 */
import { isObject } from "../../domain/json.ts";
import { concat } from "../bytes.ts";
import { parseAt, topLevelFields } from "../json-fields.ts";
import { withFields } from "../json-rewrite.ts";
import { parseEvent } from "../openai/usage.ts";
import type { ClientCall, ParsedCall, PreparedCall, StreamFilter } from "../protocol.ts";
import { INSPECTED_EVENT_BYTES_MAX, SseReader } from "../sse.ts";
import { isChat } from "./parse.ts";
import { isPlainContent } from "./usage.ts";

export function prepare(call: ClientCall, { stream }: ParsedCall): PreparedCall | null {
  if (!stream || !isChat(call)) return null;
  const range = topLevelFields(call.body).get("stream_options");
  const options = range === undefined ? null : parseAt(call.body, range);
  if (isObject(options) && options.include_usage === true) return null;
  // Options of another type are the upstream's to refuse.
  if (options !== null && (!isObject(options) || Array.isArray(options))) return null;
  const body = withFields(call.body, { stream_options: { ...options, include_usage: true } });
  return { body, createFilter: () => new UsageChunkFilter() };
}

const EMPTY = new Uint8Array(0);

/** Passes whole events, and not the one that has usage and no choice. */
export class UsageChunkFilter implements StreamFilter {
  /** The event under way, as it came. */
  #held: Uint8Array = EMPTY;
  /** The event under way is larger than any usage chunk: its bytes go on as they come. */
  #isLarge = false;
  #hides = false;
  /** The hidden event ended with CR: an LF that follows belongs to it. */
  #hidesLf = false;
  readonly #sse = new SseReader(({ data }) => {
    this.#hides = isUsageChunk(data);
  });

  push(bytes: Uint8Array): Uint8Array {
    const passed: Uint8Array[] = [];
    let at = 0;
    // A blank line ends an event, so only behind a line's end can there be anything to decide.
    for (let end = lineEnd(bytes, at); end !== -1; end = lineEnd(bytes, at)) {
      this.#take(bytes.subarray(at, end), passed);
      at = end;
    }
    if (at < bytes.length) this.#take(bytes.subarray(at), passed);
    return passed.length === 1 ? (passed[0] ?? EMPTY) : concat(passed);
  }

  end(): Uint8Array {
    this.#hides = false;
    this.#sse.end();
    const rest = this.#hides ? EMPTY : this.#held;
    this.#held = EMPTY;
    return rest;
  }

  /** @param piece at most one line with its end */
  #take(piece: Uint8Array, passed: Uint8Array[]): void {
    this.#hides = false;
    this.#sse.push(piece);
    const isLeftover = this.#hidesLf && piece[0] === LF;
    this.#hidesLf = false;
    if (isLeftover) return;
    if (this.#isLarge) passed.push(piece);
    else this.#held = this.#held.length === 0 ? piece.slice() : concat([this.#held, piece]);
    if (this.#held.length > INSPECTED_EVENT_BYTES_MAX) {
      this.#isLarge = true;
      passed.push(this.#held);
      this.#held = EMPTY;
    }
    if (!this.#sse.atBoundary) return;
    this.#hidesLf = this.#hides && piece.at(-1) === CR;
    if (!this.#hides && this.#held.length > 0) passed.push(this.#held);
    this.#held = EMPTY;
    this.#isLarge = false;
  }
}

const LF = 0x0a;
const CR = 0x0d;

/** The byte behind the next end of a line, or -1. */
function lineEnd(bytes: Uint8Array, from: number): number {
  const lf = bytes.indexOf(LF, from);
  const cr = bytes.indexOf(CR, from);
  if (cr !== -1 && (lf === -1 || cr < lf)) return cr + 1;
  return lf === -1 ? -1 : lf + 1;
}

function isUsageChunk(data: Uint8Array): boolean {
  if (isPlainContent(data)) return false;
  const chunk = parseEvent(data);
  return (
    chunk !== null && Array.isArray(chunk.choices) && chunk.choices.length === 0 && isObject(chunk.usage)
  );
}
