/** The group commit of `durable-objects/group-commit.ts` in virtual time: written a moment after the change. */
import type { EpochMs } from "../../worker/domain/ids.ts";
import type { Timeline } from "./timeline.ts";

/** Of an account, and of a key that counts anything, in ms. */
export const WRITE_BEHIND_MS = 25;

export class Commit {
  readonly #timeline: Timeline;
  readonly #write: () => void;
  readonly #behindMs: () => number;
  #lastWriteAt: EpochMs = 0;
  /** Of the write that is due; a write with another number was called off. */
  #due: number | null = null;
  #number = 0;
  #onWritten: (() => void)[] = [];

  constructor(timeline: Timeline, write: () => void, behindMs: () => number = () => WRITE_BEHIND_MS) {
    this.#timeline = timeline;
    this.#write = write;
    this.#behindMs = behindMs;
  }

  schedule(): void {
    if (this.#due !== null) return;
    const due = ++this.#number;
    this.#due = due;
    const sinceWriteMs = this.#timeline.now() - this.#lastWriteAt;
    this.#timeline.after(Math.max(0, this.#behindMs() - sinceWriteMs), () => {
      if (this.#due === due) this.#flush();
    });
  }

  written(then: () => void): void {
    this.schedule();
    this.#onWritten.push(then);
  }

  #flush(): void {
    this.#due = null;
    this.#lastWriteAt = this.#timeline.now();
    const waiting = this.#onWritten;
    this.#onWritten = [];
    this.#write();
    for (const then of waiting) then();
  }

  /** The object went down: what was not written is lost, and nobody is told that it was. */
  forget(): void {
    this.#due = null;
    this.#onWritten = [];
  }
}
