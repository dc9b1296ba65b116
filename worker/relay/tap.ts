/**
 * Passes a stream to the client as it arrives and reads its usage from a copy.
 *
 * The client's branch of the `tee()` is piped natively into an identity stream: no script runs for an event.
 * The copy is read in large pieces once in a while, so an answer of hundreds of events costs a handful of reads.
 * Only a stream that fell silent is pumped by hand from then on, because a native pipe leaves no room for a
 * heartbeat between two events.
 */
import type { ErrorFacts } from "../domain/errors.ts";
import type { EpochMs } from "../domain/ids.ts";
import type { UsageReader } from "../protocols/protocol.ts";
import { CopyReader, type Piece } from "./copy-reader.ts";
import { within } from "./reading.ts";
import type { Watch } from "./watch.ts";

/** After the pipe broke: how long to see whether it was the upstream's end that did. */
const CAUSE_MS = 100;
/** No answer is this large; what is was not meant for a client. Bounds the memory of a slow reader, too. */
const STREAM_BYTES_MAX = 64 * 1024 * 1024;
/** What comes before the first content is a few hundred bytes. */
const HELD_BACK_BYTES_MAX = 64 * 1024;
/** Longest life of one answer. */
const STREAM_MS_MAX = 60 * 60_000;

export type StreamEnding =
  | { readonly kind: "finished" }
  | { readonly kind: "client_gone" }
  /** The relay stopped it: nothing is wrong with the upstream. */
  | { readonly kind: "stopped"; readonly error: ErrorFacts }
  | { readonly kind: "upstream_failed"; readonly error: ErrorFacts };

export interface TapOptions {
  readonly reader: UsageReader;
  readonly now: () => EpochMs;
  readonly watch: Watch;
  /** Stops the upstream. */
  readonly abort: () => void;
  readonly heartbeat: Uint8Array | null;
  readonly heartbeatMs: number;
  readonly idleTimeoutMs: number;
  readonly renderErrorEvent: (error: ErrorFacts, atBoundary: boolean) => Uint8Array;
  /**
   * Asked before each piece is passed on, once the reader has seen it: why the stream must end here; null: it may
   * go on. A stream that is watched so closely is pumped by hand from its first byte, which costs several times
   * as much CPU as the native pipe.
   */
  readonly gate: (() => Promise<ErrorFacts | null>) | null;
}

const interrupted = (message: string): StreamEnding => ({
  kind: "upstream_failed",
  error: { code: "upstream_interrupted", message, retryAfterMs: null },
});
const CUT = interrupted("The upstream broke off in the middle of its answer.");
const EARLY_END = interrupted("The upstream ended its answer too early.");
const TOO_LARGE = interrupted("The upstream's answer grew beyond every limit.");
const SILENT: StreamEnding = {
  kind: "upstream_failed",
  error: {
    code: "upstream_timeout",
    message: "The upstream fell silent in the middle of its answer.",
    retryAfterMs: null,
  },
};

type Pipe = Promise<"ended" | "broken">;

export class Tap {
  readonly #options: TapOptions;
  readonly #forClient: ReadableStream<Uint8Array>;
  readonly #copy: CopyReader;
  readonly #identity: TransformStream<Uint8Array, Uint8Array> = new IdentityTransformStream();
  readonly #startedAt: EpochMs;
  #lastDataAt: EpochMs;
  /** What `peek` read, where it must be passed on by hand. */
  #peeked: Uint8Array[] = [];
  /** What the client has been sent by hand ends between two events; null: nothing has been. */
  #sentBoundary: boolean | null = null;

  constructor(body: ReadableStream<Uint8Array>, options: TapOptions) {
    const [forClient, copy] = body.tee();
    this.#options = options;
    this.#forClient = forClient;
    this.#copy = new CopyReader(copy);
    this.#startedAt = options.now();
    this.#lastDataAt = this.#startedAt;
  }

  /** What the client is given. */
  get readable(): ReadableStream<Uint8Array> {
    return this.#identity.readable;
  }

  /**
   * Looks at the beginning of the answer before the client gets any of it: its first piece, which may take until
   * the next tick, and what follows until there is content or an error, but no longer than `holdBackMs`.
   */
  async peek(holdBackMs: number): Promise<"data" | "ended" | "failed" | "silent"> {
    const first = await Promise.race([this.#copy.next(), this.#options.watch.ticked]);
    if (first === null) return "silent";
    const until = this.#options.now() + holdBackMs;
    for (let piece: Piece | null = first; piece !== null;) {
      this.#copy.taken();
      if (piece.kind !== "bytes") return this.#isComplete ? "data" : piece.kind;
      this.#see(piece.bytes);
      if (this.#options.gate !== null) this.#peeked.push(piece.bytes);
      const leftMs = until - this.#options.now();
      if (this.#isDecided || leftMs <= 0 || this.#copy.bytesRead > HELD_BACK_BYTES_MAX) break;
      piece = await within(this.#copy.next(), leftMs);
    }
    return "data";
  }

  /** From here on the answer is this account's, for better or worse. */
  get #isDecided(): boolean {
    return this.#options.reader.sawContent || this.#isComplete;
  }

  /** Gives the answer up: nothing of it reaches the client. */
  discard(): void {
    this.#options.abort();
    void this.#forClient.cancel().catch(() => undefined);
  }

  /** Passes the whole stream and says how it ended. The reader has seen all of it by then. */
  async run(): Promise<StreamEnding> {
    const { watch, abort, reader } = this.#options;
    const ending = await watch.during({ limitMs: STREAM_MS_MAX, onLate: abort, onGone: abort }, () =>
      this.#pass(),
    );
    const atBoundary = this.#sentBoundary ?? reader.atBoundary;
    reader.end();
    return this.#finish(ending, atBoundary);
  }

  async #pass(): Promise<StreamEnding> {
    if (this.#options.gate !== null) {
      // The copy is passed on; the branch it was copied from must not pile up behind it.
      this.#forClient.cancel().catch(() => undefined);
      return this.#passByHand(this.#peeked);
    }
    const quiet = new AbortController();
    const pipe = this.#forClient
      .pipeTo(this.#identity.writable, { preventClose: true, preventAbort: true, signal: quiet.signal })
      .then(
        () => "ended" as const,
        () => "broken" as const,
      );
    for (;;) {
      const piped = await this.#look(pipe);
      if (piped === "ended") return this.#drain();
      if (piped === "broken") return this.#causeOfBreak();
      const stop = this.#limitReached();
      if (stop !== null) {
        quiet.abort();
        await pipe;
        return stop;
      }
      if (this.#isSilent) {
        quiet.abort();
        await pipe;
        // A piece that came in the instant the pipe was stopped may or may not have reached the client.
        if ((await within(this.#copy.next(), 0)) !== null) return CUT;
        return this.#passByHand(null);
      }
    }
  }

  /** Waits for data, then reads all there is, then lets some pile up. @returns the pipe's end if it came meanwhile */
  async #look(pipe: Pipe): Promise<"ended" | "broken" | null> {
    const { watch } = this.#options;
    const seen = await Promise.race([pipe, this.#copy.next(), watch.ticked]);
    if (typeof seen === "string" || seen === null) return seen;
    // The pipe sees the same end of the upstream and says what became of the client.
    if (seen.kind !== "bytes") return pipe;
    this.#copy.taken();
    this.#see(seen.bytes);
    await this.#readFullPieces(seen.full);
    return Promise.race([pipe, watch.ticked]);
  }

  async #readFullPieces(full: boolean): Promise<void> {
    while (full) {
      const piece = await this.#copy.take();
      if (piece.kind !== "bytes") return;
      this.#see(piece.bytes);
      full = piece.full;
    }
  }

  #see(bytes: Uint8Array): void {
    this.#lastDataAt = this.#options.now();
    this.#options.reader.push(bytes);
  }

  get #isSilent(): boolean {
    const { heartbeat, heartbeatMs, reader, now } = this.#options;
    return heartbeat !== null && reader.atBoundary && now() - this.#lastDataAt >= heartbeatMs;
  }

  #limitReached(): StreamEnding | null {
    const now = this.#options.now();
    if (now - this.#lastDataAt >= this.#options.idleTimeoutMs) return SILENT;
    const isOver = this.#copy.bytesRead > STREAM_BYTES_MAX || now - this.#startedAt > STREAM_MS_MAX;
    return isOver ? TOO_LARGE : null;
  }

  /** The upstream ended; the copy still holds what was not looked at. */
  async #drain(): Promise<StreamEnding> {
    // After the terminal event there is nothing to learn, and a read less.
    while (!this.#options.reader.reading.finished) {
      const piece = await this.#copy.take();
      if (piece.kind !== "bytes") break;
      this.#see(piece.bytes);
    }
    return this.#isComplete ? { kind: "finished" } : EARLY_END;
  }

  get #isComplete(): boolean {
    const { reading } = this.#options.reader;
    return reading.finished || reading.errorType !== null;
  }

  /** The pipe broke at one end: a broken upstream shows in the copy at once, a client that left does not. */
  async #causeOfBreak(): Promise<StreamEnding> {
    const until = this.#options.now() + CAUSE_MS;
    for (let left = CAUSE_MS; left > 0; left = until - this.#options.now()) {
      const piece = await within(this.#copy.next(), left);
      if (piece === null) break;
      this.#copy.taken();
      if (piece.kind !== "bytes") {
        return this.#options.watch.isClientGone ? { kind: "client_gone" } : CUT;
      }
      this.#see(piece.bytes);
    }
    return { kind: "client_gone" };
  }

  /**
   * Every piece by hand, and a heartbeat after each long silence between two events.
   *
   * @param seen pieces that were read before; null: the silence has lasted long enough for a heartbeat now
   */
  async #passByHand(seen: readonly Uint8Array[] | null): Promise<StreamEnding> {
    const writer = this.#identity.writable.getWriter();
    try {
      if (seen === null) await this.#beat(writer);
      let ending: StreamEnding | null = null;
      for (const bytes of seen ?? []) ending ??= await this.#passOn(bytes, writer);
      while (ending === null) ending = await this.#passPiece(writer);
      return ending;
    } catch {
      return { kind: "client_gone" };
    } finally {
      writer.releaseLock();
    }
  }

  async #beat(writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
    const { heartbeat, reader } = this.#options;
    if (reader.atBoundary && heartbeat !== null) await writer.write(heartbeat);
  }

  /** @throws when the client is gone; @returns how the stream ended, once it has */
  async #passPiece(writer: WritableStreamDefaultWriter<Uint8Array>): Promise<StreamEnding | null> {
    const { heartbeatMs, watch } = this.#options;
    const piece = await within(this.#copy.next(), heartbeatMs);
    if (piece === null) {
      await this.#beat(writer);
      return this.#limitReached();
    }
    this.#copy.taken();
    switch (piece.kind) {
      case "failed":
        return watch.isClientGone ? { kind: "client_gone" } : CUT;
      case "ended":
        return this.#isComplete ? { kind: "finished" } : EARLY_END;
      case "bytes":
        this.#see(piece.bytes);
        return this.#passOn(piece.bytes, writer);
    }
  }

  /** What is behind the gate when it closes stays here: the client gets an error in its place. */
  async #passOn(
    bytes: Uint8Array,
    writer: WritableStreamDefaultWriter<Uint8Array>,
  ): Promise<StreamEnding | null> {
    const { gate, reader } = this.#options;
    const error = gate === null || this.#isComplete ? null : await gate();
    if (error !== null) return { kind: "stopped", error };
    await writer.write(bytes);
    this.#sentBoundary = reader.atBoundary;
    return null;
  }

  /** The client's last word: the end of its stream, or an error in its own protocol before it. */
  async #finish(ending: StreamEnding, atBoundary: boolean): Promise<StreamEnding> {
    if (ending.kind !== "finished") this.#options.abort();
    if (ending.kind === "client_gone") return ending;
    const writer = this.#identity.writable.getWriter();
    try {
      if (ending.kind === "upstream_failed" || ending.kind === "stopped") {
        await writer.write(this.#options.renderErrorEvent(ending.error, atBoundary));
      }
      await writer.close();
    } catch {
      // The client left with the last event: it has all it wanted, and the ending stays what it was.
    }
    return ending;
  }
}
