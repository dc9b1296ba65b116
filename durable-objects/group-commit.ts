/**
 * Writes an object's state once for many changes. Answers that promise nothing durable (a grant) leave at once;
 * those that do (a settlement) wait for the write that holds them, and the platform's output gate holds the
 * answer until that write is on disk. A write costs ten times what a decision does.
 */

/** Changes are gathered this long before they are written, in ms; the first after a pause is written at once. */
const GATHER_MS = 25;

export class GroupCommit {
  readonly #write: () => void;
  readonly #gatherMs: () => number;
  #lastWriteAt = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #next = Promise.withResolvers<undefined>();

  constructor(write: () => void, gatherMs: () => number = () => GATHER_MS) {
    this.#write = write;
    this.#gatherMs = gatherMs;
  }

  /** The state has changed: write it soon. */
  schedule(): void {
    if (this.#timer !== null) return;
    const sinceWriteMs = Date.now() - this.#lastWriteAt;
    const delayMs = sinceWriteMs < 0 ? 0 : Math.max(0, this.#gatherMs() - sinceWriteMs);
    this.#timer = setTimeout(() => {
      this.flush();
    }, delayMs);
  }

  /** Resolves when everything changed so far is written. */
  async written(): Promise<void> {
    this.schedule();
    await this.#next.promise;
  }

  /** Writes now what is scheduled, if anything is. */
  flush(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#lastWriteAt = Date.now();
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers<undefined>();
    this.#write();
    resolve(undefined);
  }
}
