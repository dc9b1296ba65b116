/** What came of a run's requests: counted as they go. */
import type { AccountId, EpochMs } from "../../worker/domain/ids.ts";
import type { Journey } from "./journey.ts";
import type { Result } from "./relay.ts";

/** A prompt cache lives this long after its last use. */
const CACHE_MS = 5 * 60_000;

interface Whereabouts {
  /** The accounts that served it, one after the other. */
  readonly path: AccountId[];
  usedAt: EpochMs;
}

export class Statistics {
  readonly requestsOf = new Map<AccountId, number>();
  /** Requests whose key was not asked: a warrant stood. */
  enteredFreely = 0;
  readonly results = { served: 0, refused: 0, failed: 0, gone: 0, dead: 0 };
  /** How long each served request waited for its account, in ms. */
  readonly waitsMs: number[] = [];
  /** Turns of sessions after their first, and those of them that found their prompt in a cache. */
  turns = 0;
  hits = 0;
  /** Turns at another account than the one before. */
  moves = 0;
  readonly #sessions = new Map<string, Whereabouts>();

  /** An account answers a request that went to it at `now`. */
  served({ session, model, startedAt }: Journey, account: AccountId, now: EpochMs): void {
    this.requestsOf.set(account, (this.requestsOf.get(account) ?? 0) + 1);
    this.waitsMs.push(now - startedAt);
    const id = `${String(session.number)}/${model}`;
    const before = this.#sessions.get(id);
    if (before === undefined) {
      this.#sessions.set(id, { path: [account], usedAt: now });
      return;
    }
    this.turns++;
    if (before.path.at(-1) !== account) {
      this.moves++;
      before.path.push(account);
    } else if (now - before.usedAt <= CACHE_MS) this.hits++;
    before.usedAt = now;
  }

  /** Of each session and model: where it went, from its first account on. */
  get paths(): (readonly AccountId[])[] {
    return [...this.#sessions.values()].map(({ path }) => path);
  }

  ended(result: Result | "dead"): void {
    this.results[result]++;
  }
}
