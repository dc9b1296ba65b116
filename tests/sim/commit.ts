/** The group commit of `durable-objects/group-commit.ts` in virtual time: written at most 25 ms after the change. */
import type { EpochMs } from "../../worker/domain/ids.ts";
import type { Timeline } from "./timeline.ts";

export const WRITE_BEHIND_MS = 25;

export class Commit {
  readonly #timeline: Timeline;
  readonly #write: () => void;
  #lastWriteAt: EpochMs = 0;
  /** Of the write that is due; a write with another number was called off. */
  #due: number | null = null;
  #number = 0;
  #onWritten: (() => void)[] = [];

  constructor(timeline: Timeline, write: () => void) {
    this.#timeline = timeline;
    this.#write = write;
  }

  schedule(): void {
    if (this.#due !== null) return;
    const due = ++this.#number;
    this.#due = due;
    const sinceWriteMs = this.#timeline.now() - this.#lastWriteAt;
    this.#timeline.after(Math.max(0, WRITE_BEHIND_MS - sinceWriteMs), () => {
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
