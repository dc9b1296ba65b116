/**
 * The frames of `application/vnd.amazon.eventstream` (AWS SDK, "Event stream encoding"), out of chunks that cut them
 * anywhere. Pure.
 *
 * A library reads a frame and checks both of its checksums; what it has no word about, and is done here, is where in the
 * chunks a frame begins and ends.
 */
import { EventStreamCodec } from "@smithy/eventstream-codec";

export interface Frame {
  readonly headers: ReadonlyMap<string, string>;
  readonly payload: Uint8Array;
}

/** Two lengths and their checksum, and the checksum of the whole. */
const FRAME_BYTES_MIN = 16;
/** A frame holds one event; whatever claims to be larger is none, and must not be waited for. */
const FRAME_BYTES_MAX = 8 * 1024 * 1024;
const LENGTH_BYTES = 4;

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const codec = new EventStreamCodec(
  (bytes: string | Uint8Array) => (typeof bytes === "string" ? bytes : decoder.decode(bytes)),
  (text: string) => encoder.encode(text),
);

export class BrokenFrame extends Error {}

export class FrameReader {
  /** The beginning of a frame: its length first, then all of it in a buffer of that size. */
  #buffer = new Uint8Array(LENGTH_BYTES);
  #filled = 0;

  /** The frames that these bytes complete. @throws BrokenFrame; what comes after it cannot be read any more */
  *push(chunk: Uint8Array): Generator<Frame> {
    let at = 0;
    while (at < chunk.length) {
      const part = chunk.subarray(at, at + this.#buffer.length - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < this.#buffer.length) return;
      if (this.#filled === LENGTH_BYTES) this.#grow();
      else yield this.#take();
    }
  }

  #grow(): void {
    const length = new DataView(this.#buffer.buffer).getUint32(0);
    if (length < FRAME_BYTES_MIN || length > FRAME_BYTES_MAX) {
      throw new BrokenFrame(`a frame of ${String(length)} bytes`);
    }
    const whole = new Uint8Array(length);
    whole.set(this.#buffer);
    this.#buffer = whole;
  }

  #take(): Frame {
    const bytes = this.#buffer;
    this.#buffer = new Uint8Array(LENGTH_BYTES);
    this.#filled = 0;
    try {
      const { headers, body } = codec.decode(bytes);
      const texts = Object.entries(headers).flatMap(([name, header]) =>
        header.type === "string" ? [[name, header.value] as const] : [],
      );
      return { headers: new Map(texts), payload: body };
    } catch (error) {
      throw new BrokenFrame("a frame that cannot be read", { cause: error });
    }
  }
}
