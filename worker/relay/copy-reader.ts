/** Reads the copy of a stream with one read pending at a time, in pieces as large as what has piled up. */

/** A read that waits holds a buffer, so it is small: a thousand open streams cost four megabytes. */
const WAITING_BYTES = 4 * 1024;
/** Once a piece came back full there is more, and a large piece costs fewer reads. */
const PILED_BYTES = 64 * 1024;

export type Piece =
  | {
      readonly kind: "bytes";
      readonly bytes: Uint8Array;
      /** There may be more at once. */ readonly full: boolean;
    }
  | { readonly kind: "ended" }
  | { readonly kind: "failed" };

export class CopyReader {
  readonly #reader: ReadableStreamBYOBReader;
  #pending: Promise<Piece> | null = null;
  #nextBytes = WAITING_BYTES;
  bytesRead = 0;

  constructor(copy: ReadableStream<Uint8Array>) {
    this.#reader = copy.getReader({ mode: "byob" });
    // A break shows in the read that meets it; nobody waits for `closed`, whose rejection would be reported.
    this.#reader.closed.catch(() => undefined);
  }

  /** The piece to come; the same one until it is `taken`. Never rejects. */
  next(): Promise<Piece> {
    this.#pending ??= this.#read();
    return this.#pending;
  }

  taken(): void {
    this.#pending = null;
  }

  async take(): Promise<Piece> {
    const piece = await this.next();
    this.taken();
    return piece;
  }

  async #read(): Promise<Piece> {
    const size = this.#nextBytes;
    try {
      const { value, done } = await this.#reader.read(new Uint8Array(size));
      if (done) return { kind: "ended" };
      const full = value.byteLength === size;
      this.#nextBytes = full ? PILED_BYTES : WAITING_BYTES;
      this.bytesRead += value.byteLength;
      return { kind: "bytes", bytes: value, full };
    } catch {
      return { kind: "failed" };
    }
  }
}
