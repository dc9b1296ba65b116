/**
 * One request's eye on time and on its client: a single timer and a single listener, however many steps need
 * them. Both cost more than they look; a request used to have four of each.
 */
import type { EpochMs } from "../domain/ids.ts";

/**
 * A stream's copy is looked at this often, and time limits are kept to this precision, in ms. Each tick of each
 * stream costs some 0.2 ms of CPU: one a second would cost an open stream as much as its events do.
 */
const TICK_MS_MAX = 3000;
/** The shortest time limit passes in this many ticks, so that short limits are kept as well as long ones. */
const TICKS_IN_LIMIT = 5;

/** @param limitMs the shortest time limit that is to be kept */
export const tickMsFor = (limitMs: number): number =>
  Math.min(TICK_MS_MAX, Math.ceil(limitMs / TICKS_IN_LIMIT));

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
  readonly #tickMs: number;
  readonly #clientGone: AbortSignal;
  #timer: ReturnType<typeof setInterval> | null = null;
  #running: Running | null = null;
  #onTick: (() => void) | null = null;
  #nextTick = Promise.withResolvers<null>();
  #holders = 0;

  constructor(clientGone: AbortSignal, now: () => EpochMs, tickMs: number) {
    this.#clientGone = clientGone;
    this.#now = now;
    this.#tickMs = tickMs;
    clientGone.addEventListener("abort", () => this.#running?.onGone());
  }

  get isClientGone(): boolean {
    return this.#clientGone.aborted;
  }

  /** @throws the signal's reason when the client has left */
  throwIfGone(): void {
    this.#clientGone.throwIfAborted();
  }

  /** Keeps time until as many `stop`s as there were `start`s. A client that leaves is noticed even after that. */
  start(): void {
    this.#holders++;
    this.#timer ??= setInterval(() => {
      this.#tick();
    }, this.#tickMs);
  }

  stop(): void {
    if (--this.#holders > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Resolves with null at the next tick. */
  get ticked(): Promise<null> {
    return this.#nextTick.promise;
  }

  /** Called at every tick. */
  set onTick(onTick: () => void) {
    this.#onTick = onTick;
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
    const { resolve } = this.#nextTick;
    this.#nextTick = Promise.withResolvers<null>();
    resolve(null);
    this.#onTick?.();
    const running = this.#running;
    if (running === null || this.#now() < running.deadline) return;
    this.#running = null;
    running.onLate();
  }
}
