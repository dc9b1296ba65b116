/**
 * Reads HTTP/1.1 responses from a connection, as far as the fake upstream and workerd send them. Node's own client
 * costs as much CPU per request as the worker under test, and on a small machine they share the cores.
 */

const LF = 0x0a;
const HEAD_END = "\r\n\r\n";

export class ResponseParser {
  readonly #onBody: (bytes: Buffer) => void;
  #head = "";
  #inBody = false;
  #chunked = false;
  /** Bytes of body to come; with chunked coding, of the current chunk. */
  #left = 0;
  /** The beginning of a chunk's size line. */
  #line = "";
  #lastChunk = false;
  status = 0;

  constructor(onBody: (bytes: Buffer) => void) {
    this.#onBody = onBody;
  }

  /** @returns whether the response is complete */
  push(bytes: Buffer): boolean {
    if (this.#inBody) return this.#body(bytes);
    const before = this.#head.length;
    this.#head += bytes.toString("latin1");
    const end = this.#head.indexOf(HEAD_END);
    if (end === -1) return false;
    this.#readHead(this.#head.slice(0, end + 2));
    const rest = bytes.subarray(end + HEAD_END.length - before);
    return this.#chunked || this.#left > 0 ? this.#body(rest) : true;
  }

  #readHead(head: string): void {
    this.#inBody = true;
    this.status = Number(head.slice(9, 12));
    this.#chunked = /\r\ntransfer-encoding: *chunked\r\n/i.test(head);
    this.#left = this.#chunked ? 0 : Number(/\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1] ?? 0);
  }

  #body(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const piece = bytes.subarray(at, at + this.#left);
        this.#onBody(piece);
        at += piece.length;
        this.#left -= piece.length;
        continue;
      }
      if (!this.#chunked) break;
      const end = bytes.indexOf(LF, at);
      this.#line += bytes.toString("latin1", at, end === -1 ? bytes.length : end);
      if (end === -1) return false;
      at = end + 1;
      if (this.#endOfLine()) return true;
    }
    return !this.#chunked && this.#left === 0;
  }

  /** A chunk's size, or the empty line after a chunk; after the last one the response is complete. */
  #endOfLine(): boolean {
    const line = this.#line.trim();
    this.#line = "";
    if (line === "") return this.#lastChunk;
    this.#left = Number.parseInt(line, 16);
    this.#lastChunk = this.#left === 0;
    return false;
  }
}
