/** What has been seen of a stream in its copy: the usage so far, how long it has been silent, whether it is whole. */
import type { EpochMs } from "../domain/ids.ts";
import type { UsageReader } from "../protocols/protocol.ts";
import { CopyReader } from "./copy-reader.ts";
import { SILENT, TOO_LARGE, type StreamEnding } from "./stream-ending.ts";
import type { TapOptions } from "./tap.ts";

/** No answer is this large; what is was not meant for a client. Bounds the memory of a slow reader, too. */
const STREAM_BYTES_MAX = 64 * 1024 * 1024;
/** Longest life of one answer, in ms. */
export const STREAM_MS_MAX = 60 * 60_000;

/** Where what has been sent stands, for an error that is to be written behind it. */
export type StreamPosition = Pick<UsageReader, "atBoundary" | "frame">;

export const positionOf = ({ atBoundary, frame }: UsageReader): StreamPosition => ({ atBoundary, frame });

export class StreamView {
  readonly copy: CopyReader;
  readonly #options: TapOptions;
  readonly #startedAt: EpochMs;
  #lastDataAt: EpochMs;

  constructor(copy: ReadableStream<Uint8Array>, options: TapOptions) {
    this.copy = new CopyReader(copy);
    this.#options = options;
    this.#startedAt = options.now();
    this.#lastDataAt = this.#startedAt;
  }

  see(bytes: Uint8Array): void {
    this.#lastDataAt = this.#options.now();
    this.#options.reader.push(bytes);
  }

  get isSilent(): boolean {
    const { heartbeat, heartbeatMs, reader, now } = this.#options;
    return heartbeat !== null && reader.atBoundary && now() - this.#lastDataAt >= heartbeatMs;
  }

  limitReached(): StreamEnding | null {
    const now = this.#options.now();
    if (now - this.#lastDataAt >= this.#options.idleTimeoutMs) return SILENT;
    const isOver = this.copy.bytesRead > STREAM_BYTES_MAX || now - this.#startedAt > STREAM_MS_MAX;
    return isOver ? TOO_LARGE : null;
  }

  get isComplete(): boolean {
    const { reading } = this.#options.reader;
    return reading.finished || reading.errorType !== null;
  }

  /** From here on the answer is this account's, for better or worse. */
  get isDecided(): boolean {
    return this.#options.reader.sawContent || this.isComplete;
  }
}
