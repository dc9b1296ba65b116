/**
 * One request's eye on time and on its client: a single timer and a single listener, however many steps need
 * them. Both cost more than they look; a request used to have four of each.
 */
import type { EpochMs } from "../domain/ids.ts";

/** Time limits are kept to this precision, in ms. */
const TICK_MS = 1000;

/** A step that can be cut short: by its time limit, or because the client left. */
export interface Watched {
  readonly limitMs: number;
  readonly onLate: () => void;
  readonly onGone: () => void;
}

interface Running extends Watched {
  readonly deadline: EpochMs;
}

export class Watch {
  readonly #now: () => EpochMs;
  readonly #clientGone: AbortSignal;
  #timer: ReturnType<typeof setInterval> | null = null;
  #running: Running | null = null;
  #onTick: (() => void) | null = null;

  constructor(clientGone: AbortSignal, now: () => EpochMs) {
    this.#clientGone = clientGone;
    this.#now = now;
    clientGone.addEventListener("abort", () => this.#running?.onGone());
  }

  get isClientGone(): boolean {
    return this.#clientGone.aborted;
  }

  /** @throws the signal's reason when the client has left */
  throwIfGone(): void {
    this.#clientGone.throwIfAborted();
  }

  /** Calls back about once a second, and keeps time limits, until `stop`. A client that leaves is noticed after it. */
  start(onTick: () => void): void {
    this.#onTick = onTick;
    this.#timer ??= setInterval(() => {
      this.#tick();
    }, TICK_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Runs one step under watch. Steps of a request follow each other; a later one replaces the watch. */
  async during<Value>(watched: Watched, step: () => Promise<Value>): Promise<Value> {
    const running: Running = { ...watched, deadline: this.#now() + watched.limitMs };
    this.#running = running;
    try {
      return await step();
    } finally {
      if (this.#running === running) this.#running = null;
    }
  }

  #tick(): void {
    this.#onTick?.();
    const running = this.#running;
    if (running === null || this.#now() < running.deadline) return;
    this.#running = null;
    running.onLate();
  }
}
