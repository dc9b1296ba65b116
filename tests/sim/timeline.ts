/** Virtual time: events in the order of their time, and of their making where the time is the same. */
import type { EpochMs } from "../../worker/domain/ids.ts";

interface Entry {
  readonly at: EpochMs;
  readonly order: number;
  readonly run: () => void;
}

const isBefore = (a: Entry, b: Entry) => a.at < b.at || (a.at === b.at && a.order < b.order);

/** The smallest first, at the cost of a logarithm. */
class Heap {
  readonly #entries: Entry[] = [];

  get size(): number {
    return this.#entries.length;
  }

  push(entry: Entry): void {
    const entries = this.#entries;
    let index = entries.length;
    entries.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = entries[parentIndex];
      if (parent === undefined || !isBefore(entry, parent)) break;
      entries[index] = parent;
      index = parentIndex;
    }
    entries[index] = entry;
  }

  pop(): Entry | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (last !== undefined && entries.length > 0) this.#sink(last);
    return first;
  }

  #sink(entry: Entry): void {
    const entries = this.#entries;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = entries[childIndex];
      const right = entries[childIndex + 1];
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex++;
      }
      if (child === undefined || !isBefore(child, entry)) break;
      entries[index] = child;
      index = childIndex;
    }
    entries[index] = entry;
  }
}

const FNV_PRIME = 16_777_619;

export class Timeline {
  readonly #heap = new Heap();
  #now: EpochMs;
  #order = 0;
  #steps = 0;
  #hash = 0x811c9dc5;

  constructor(startAt: EpochMs) {
    this.#now = startAt;
  }

  readonly now = (): EpochMs => this.#now;

  /** Events so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Of everything that was noted so far (FNV-1a over 32-bit words): two runs that differ differ here. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  note(value: number): void {
    this.#hash = Math.imul(this.#hash ^ (value | 0), FNV_PRIME);
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.#now + delayMs, run);
  }

  at(at: EpochMs, run: () => void): void {
    this.#heap.push({ at: Math.max(at, this.#now), order: this.#order++, run });
  }

  /** Runs the next event. @returns false when nothing is left to happen */
  step(): boolean {
    const entry = this.#heap.pop();
    if (entry === undefined) return false;
    this.#now = entry.at;
    this.#steps++;
    this.note(entry.at);
    this.note(entry.order);
    entry.run();
    return true;
  }
}
