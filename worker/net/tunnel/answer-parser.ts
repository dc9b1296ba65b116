/**
 * An upstream's HTTP/1.1 answer out of chunks that cut it anywhere. A library parses; what it takes too lightly of
 * an upstream that may be hostile, and is refused here, are lengths that are none and framing without end. Pure.
 */
import { Buffer } from "node:buffer";
import { HTTPParser } from "http-parser-js";

export interface AnswerHead {
  readonly status: number;
  readonly headers: Headers;
}

/** What came is not an HTTP answer. */
export class MalformedAnswer extends Error {}
/** The connection ended before the answer did. */
export class EarlyEnd extends Error {}

/** Headers, sizes of chunks, trailers: whatever is not body, between two pieces of body. */
const FRAMING_BYTES_MAX = 256 * 1024;
const [CONTINUE_MIN, CONTINUE_MAX, SWITCHING] = [100, 199, 101];

/** RFC 9110, section 7.6.1: these speak of the connection. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** The states of the parser that are watched. */
interface Internals {
  body_bytes: number | null;
  BODY_CHUNKHEAD(): void;
}

export class AnswerParser {
  readonly #parser = new HTTPParser(HTTPParser.RESPONSE);
  readonly #pieces: Uint8Array[] = [];
  #framingBytes = 0;
  head: AnswerHead | null = null;
  isComplete = false;

  constructor() {
    this.#parser[HTTPParser.kOnHeadersComplete] = (info) => {
      this.#onHead(info.statusCode, info.headers);
    };
    this.#parser[HTTPParser.kOnBody] = (bytes: Uint8Array) => {
      if (this.isComplete) return;
      this.#framingBytes = 0;
      this.#pieces.push(bytes);
    };
    this.#parser[HTTPParser.kOnMessageComplete] = () => {
      if (this.head !== null) this.isComplete = true;
    };
    refuseBadChunks(this.#parser as unknown as Internals);
  }

  /** @throws MalformedAnswer */
  push(chunk: Uint8Array): void {
    if (this.isComplete) return;
    this.#framingBytes += chunk.length;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const result = this.#parser.execute(bytes as Parameters<InstanceType<typeof HTTPParser>["execute"]>[0]);
    // What follows a complete answer on a connection that is not used again does not matter.
    if (this.isComplete) return;
    if (typeof result !== "number") throw new MalformedAnswer("The answer is not HTTP.", { cause: result });
    if (this.#framingBytes > FRAMING_BYTES_MAX && this.#pieces.length === 0) {
      throw new MalformedAnswer("The answer's headers have no end.");
    }
  }

  /** The connection has ended. @throws EarlyEnd when the answer had not */
  end(): void {
    if (this.isComplete) return;
    if (this.head === null) throw new EarlyEnd("The connection ended before an answer came.");
    if (this.#parser.finish() instanceof Error) {
      throw new EarlyEnd("The connection ended in the middle of the answer.");
    }
  }

  /** What has come of the body, in memory of its own; null: nothing. */
  take(): Uint8Array | null {
    if (this.#pieces.length === 0) return null;
    const pieces = this.#pieces.splice(0);
    const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  #onHead(status: number, fields: readonly string[]): void {
    if (this.isComplete) return;
    if (status === SWITCHING) throw new MalformedAnswer("The answer leaves HTTP.");
    if (status >= CONTINUE_MIN && status <= CONTINUE_MAX) return;
    if (status < 200 || status > 599) throw new MalformedAnswer(`The answer has status ${String(status)}.`);
    this.head = { status, headers: readHeaders(fields) };
  }
}

/** A size that is no number would end the body there, and a negative one would send the parser round in circles. */
function refuseBadChunks(internals: Internals): void {
  const parse = internals.BODY_CHUNKHEAD.bind(internals);
  internals.BODY_CHUNKHEAD = () => {
    parse();
    if (!((internals.body_bytes ?? 0) >= 0)) throw new Error("bad chunk size");
  };
}

/** @param fields names and values in turn */
function readHeaders(fields: readonly string[]): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < fields.length; at += 2) append(headers, fields[at] ?? "", fields[at + 1] ?? "");
  const coding = headers.get("transfer-encoding");
  if (coding !== null && coding.toLowerCase() !== "chunked") {
    throw new MalformedAnswer(`The answer has the transfer coding "${coding}".`);
  }
  const length = headers.get("content-length");
  // Repeated with one value it counts once (RFC 9110, section 8.6); the parser compares the values.
  if (coding !== null || length === null) headers.delete("content-length");
  else if (/^\d{1,15}(, *\d{1,15})*$/.test(length)) headers.set("content-length", length.replace(/,.*/, ""));
  else throw new MalformedAnswer("The answer's content-length is not a number.");
  for (const name of HOP_BY_HOP) headers.delete(name);
  return headers;
}

function append(headers: Headers, name: string, value: string): void {
  try {
    headers.append(name, value);
  } catch (cause) {
    throw new MalformedAnswer("The answer has a header that is none.", { cause });
  }
}
