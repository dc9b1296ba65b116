/**
 * Passes a stream on piece by piece: where there is something to do between two events, which a native pipe leaves
 * no room for: a heartbeat, or a look at what the answer has cost.
 */
import { within } from "./reading.ts";
import { CUT, EARLY_END, type StreamEnding } from "./stream-ending.ts";
import { positionOf, type StreamPosition, type StreamView } from "./stream-view.ts";
import type { TapOptions } from "./tap.ts";

export class HandPump {
  readonly #options: TapOptions;
  readonly #view: StreamView;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  /** Where what the client has been sent ends; null: nothing has been sent. */
  sent: StreamPosition | null = null;

  constructor(writable: WritableStream<Uint8Array>, view: StreamView, options: TapOptions) {
    this.#options = options;
    this.#view = view;
    this.#writer = writable.getWriter();
  }

  /**
   * Every piece by hand, and a heartbeat after each long silence between two events.
   *
   * @param seen pieces that were read before; null: the silence has lasted long enough for a heartbeat now
   */
  async run(seen: readonly Uint8Array[] | null): Promise<StreamEnding> {
    try {
      if (seen === null) await this.#beat();
      let ending: StreamEnding | null = null;
      for (const bytes of seen ?? []) ending ??= await this.#passOn(bytes);
      while (ending === null) ending = await this.#passPiece();
      const rest = this.#options.filter?.end();
      if (rest !== undefined && rest.length > 0) await this.#writer.write(rest);
      return ending;
    } catch {
      return { kind: "client_gone" };
    } finally {
      this.#writer.releaseLock();
    }
  }

  async #beat(): Promise<void> {
    const { heartbeat, reader, filter } = this.#options;
    const { atBoundary } = filter?.position ?? reader;
    if (atBoundary && heartbeat !== null) await this.#writer.write(heartbeat);
  }

  /** @throws when the client is gone; @returns how the stream ended, once it has */
  async #passPiece(): Promise<StreamEnding | null> {
    const { heartbeatMs, watch } = this.#options;
    const piece = await within(this.#view.copy.next(), heartbeatMs);
    if (piece === null) {
      await this.#beat();
      return this.#view.limitReached();
    }
    this.#view.copy.taken();
    switch (piece.kind) {
      case "failed":
        return watch.isClientGone ? { kind: "client_gone" } : CUT;
      case "ended":
        return this.#view.isComplete ? { kind: "finished" } : EARLY_END;
      case "bytes":
        this.#view.see(piece.bytes);
        return this.#passOn(piece.bytes);
    }
  }

  /** What is behind the gate when it closes stays here: the client gets an error in its place. */
  async #passOn(bytes: Uint8Array): Promise<StreamEnding | null> {
    const { gate, filter, reader } = this.#options;
    const error = gate === null || this.#view.isComplete ? null : await gate();
    if (error !== null) return { kind: "stopped", error };
    const passed = filter === null ? bytes : filter.push(bytes);
    if (passed.length > 0) await this.#writer.write(passed);
    this.sent = filter?.position ?? positionOf(reader);
    return null;
  }
}
