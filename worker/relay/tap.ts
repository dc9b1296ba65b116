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
import type { StreamFilter, UsageReader } from "../protocols/protocol.ts";
import type { Piece } from "./copy-reader.ts";
import { HandPump } from "./hand-pump.ts";
import { within } from "./reading.ts";
import { CUT, EARLY_END, type StreamEnding } from "./stream-ending.ts";
import { positionOf, STREAM_MS_MAX, StreamView, type StreamPosition } from "./stream-view.ts";
import type { Watch } from "./watch.ts";

/** After the pipe broke: how long to see whether it was the upstream's end that did. */
const CAUSE_MS = 100;
/** What comes before the first content is a few hundred bytes. */
const HELD_BACK_BYTES_MAX = 64 * 1024;

export interface TapOptions {
  readonly reader: UsageReader;
  readonly now: () => EpochMs;
  readonly watch: Watch;
  /** Stops the upstream. */
  readonly abort: () => void;
  readonly heartbeat: Uint8Array | null;
  readonly heartbeatMs: number;
  readonly idleTimeoutMs: number;
  readonly renderErrorEvent: (error: ErrorFacts, position: StreamPosition) => Uint8Array;
  /**
   * Asked before each piece is passed on, once the reader has seen it: why the stream must end here; null: it may
   * go on. A stream that is watched so closely is pumped by hand from its first byte, which costs several times
   * as much CPU as the native pipe.
   */
  readonly gate: (() => Promise<ErrorFacts | null>) | null;
  /** Takes out what only the relay asked for; the reader sees it all the same. Pumped by hand, too. */
  readonly filter: StreamFilter | null;
  /**
   * The body comes out of a script. Pumped by hand, too: a native pipe out of one, once told to stop, waits for the next
   * piece and takes it along (workerd, seen 2026-11), so that a silence could not be filled and cost the answer its rest.
   */
  readonly scripted: boolean;
}

type Pipe = Promise<"ended" | "broken">;

export class Tap {
  readonly #options: TapOptions;
  readonly #forClient: ReadableStream<Uint8Array>;
  readonly #view: StreamView;
  readonly #identity: TransformStream<Uint8Array, Uint8Array> = new IdentityTransformStream();
  /** What `peek` read, where it must be passed on by hand. */
  #peeked: Uint8Array[] = [];
  #pump: HandPump | null = null;

  constructor(body: ReadableStream<Uint8Array>, options: TapOptions) {
    const [forClient, copy] = body.tee();
    this.#options = options;
    this.#forClient = forClient;
    this.#view = new StreamView(copy, options);
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
    const first = await Promise.race([this.#view.copy.next(), this.#options.watch.ticked]);
    if (first === null) return "silent";
    const until = this.#options.now() + holdBackMs;
    for (let piece: Piece | null = first; piece !== null;) {
      this.#view.copy.taken();
      if (piece.kind !== "bytes") return this.#view.isComplete ? "data" : piece.kind;
      this.#view.see(piece.bytes);
      if (this.#isByHand) this.#peeked.push(piece.bytes);
      const leftMs = until - this.#options.now();
      if (this.#view.isDecided || leftMs <= 0 || this.#view.copy.bytesRead > HELD_BACK_BYTES_MAX) break;
      piece = await within(this.#view.copy.next(), leftMs);
    }
    return "data";
  }

  get #isByHand(): boolean {
    const { gate, filter, scripted } = this.#options;
    return gate !== null || filter !== null || scripted;
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
    const position = this.#pump?.sent ?? positionOf(reader);
    reader.end();
    return this.#finish(ending, position);
  }

  async #pass(): Promise<StreamEnding> {
    if (this.#isByHand) {
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
      const stop = this.#view.limitReached();
      if (stop !== null) {
        quiet.abort();
        await pipe;
        return stop;
      }
      if (this.#view.isSilent) {
        quiet.abort();
        await pipe;
        // A piece that came in the instant the pipe was stopped may or may not have reached the client.
        if ((await within(this.#view.copy.next(), 0)) !== null) return CUT;
        return this.#passByHand(null);
      }
    }
  }

  #passByHand(seen: readonly Uint8Array[] | null): Promise<StreamEnding> {
    this.#pump = new HandPump(this.#identity.writable, this.#view, this.#options);
    return this.#pump.run(seen);
  }

  /** Waits for data, then reads all there is, then lets some pile up. @returns the pipe's end if it came meanwhile */
  async #look(pipe: Pipe): Promise<"ended" | "broken" | null> {
    const { watch } = this.#options;
    const seen = await Promise.race([pipe, this.#view.copy.next(), watch.ticked]);
    if (typeof seen === "string" || seen === null) return seen;
    // The pipe sees the same end of the upstream and says what became of the client.
    if (seen.kind !== "bytes") return pipe;
    this.#view.copy.taken();
    this.#view.see(seen.bytes);
    await this.#readFullPieces(seen.full);
    return Promise.race([pipe, watch.ticked]);
  }

  async #readFullPieces(full: boolean): Promise<void> {
    while (full) {
      const piece = await this.#view.copy.take();
      if (piece.kind !== "bytes") return;
      this.#view.see(piece.bytes);
      full = piece.full;
    }
  }

  /** The upstream ended; the copy still holds what was not looked at. */
  async #drain(): Promise<StreamEnding> {
    // After the terminal event there is nothing to learn, and a read less.
    while (!this.#options.reader.reading.finished) {
      const piece = await this.#view.copy.take();
      if (piece.kind !== "bytes") break;
      this.#view.see(piece.bytes);
    }
    return this.#view.isComplete ? { kind: "finished" } : EARLY_END;
  }

  /** The pipe broke at one end: a broken upstream shows in the copy at once, a client that left does not. */
  async #causeOfBreak(): Promise<StreamEnding> {
    const until = this.#options.now() + CAUSE_MS;
    for (let left = CAUSE_MS; left > 0; left = until - this.#options.now()) {
      const piece = await within(this.#view.copy.next(), left);
      if (piece === null) break;
      this.#view.copy.taken();
      if (piece.kind !== "bytes") {
        return this.#options.watch.isClientGone ? { kind: "client_gone" } : CUT;
      }
      this.#view.see(piece.bytes);
    }
    return { kind: "client_gone" };
  }

  /** The client's last word: the end of its stream, or an error in its own protocol before it. */
  async #finish(ending: StreamEnding, position: StreamPosition): Promise<StreamEnding> {
    if (ending.kind !== "finished") this.#options.abort();
    if (ending.kind === "client_gone") return ending;
    const writer = this.#identity.writable.getWriter();
    try {
      if (ending.kind === "upstream_failed" || ending.kind === "stopped") {
        await writer.write(this.#options.renderErrorEvent(ending.error, position));
      }
      await writer.close();
    } catch {
      // The client left with the last event: it has all it wanted, and the ending stays what it was.
    }
    return ending;
  }
}
