/** The warrants that an object has given: under which term, and until when the last of them stands. Pure. */
import type { EpochMs } from "../worker/domain/ids.ts";
import { WARRANT_MS, type StandsMs, type Warrant } from "../worker/domain/warrant.ts";

export class Warrants {
  readonly #newTerm: () => string;
  #term: string;
  #standUntil: EpochMs = -Infinity;

  /** @param newTerm a text that never was a term before */
  constructor(newTerm: () => string) {
    this.#newTerm = newTerm;
    this.#term = newTerm();
  }

  /** @param edition of what is granted: with another one, those given before stand to their end and are not renewed */
  give(now: EpochMs, edition = 0): Warrant {
    this.#standUntil = now + WARRANT_MS;
    return { term: `${this.#term}/${String(edition)}`, forMs: WARRANT_MS };
  }

  /** To be called after a change: warrants from before it are not renewed. */
  recall(now: EpochMs): StandsMs {
    this.#term = this.#newTerm();
    // A clock that was set back must not make anybody wait for longer than a warrant stands.
    return Math.min(WARRANT_MS, Math.max(0, this.#standUntil - now));
  }
}
