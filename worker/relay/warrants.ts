/**
 * The warrants that this isolate holds: for how long objects need not be asked again, and what each said to which
 * question. Without one, or after its end, the object is asked.
 */
import type { AccountId, EpochMs, KeyId } from "../domain/ids.ts";
import type { Lease } from "../domain/lease.ts";
import type { Admitted } from "../domain/permit.ts";
import type { Warrant } from "../domain/warrant.ts";

const HOLDERS_MAX = 5000;
/** Questions differ by model and client program: of one key there are a few. */
const QUESTIONS_MAX = 100;

interface Given<Grant> {
  readonly grant: Grant;
  readonly warrant: Warrant;
}

interface Held<Grant> {
  readonly term: string;
  readonly since: EpochMs;
  readonly until: EpochMs;
  readonly grants: Map<string, Grant>;
}

export class HeldWarrants<Id extends string, Grant> {
  readonly #held = new Map<Id, Held<Grant>>();

  /** What the object would answer now; null: it must be asked. */
  find(id: Id, question: string, now: EpochMs): Grant | null {
    const held = this.#held.get(id);
    if (held === undefined) return null;
    if (isStanding(held, now)) return held.grants.get(question) ?? null;
    // Secrets may have come with it, and a clock that is set forward again must not revive it.
    this.#held.delete(id);
    return null;
  }

  /** @param askedAt when the question was sent that brought it */
  keep(id: Id, question: string, { grant, warrant: { term, forMs } }: Given<Grant>, askedAt: EpochMs): void {
    const known = this.#held.get(id);
    const grants =
      known?.term === term && isStanding(known, askedAt) ? known.grants : new Map<string, Grant>();
    if (grants.size >= QUESTIONS_MAX) grants.clear();
    grants.set(question, grant);
    if (this.#held.size >= HOLDERS_MAX) this.#held.clear();
    this.#held.set(id, { term, since: askedAt, until: askedAt + forMs, grants });
  }

  /** What an object said when it was told the news that were sent then. One that has ended stays ended. */
  renew(id: Id, warrant: Warrant | null, askedAt: EpochMs): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    if (warrant?.term !== held.term || askedAt >= held.until) this.#held.delete(id);
    // An answer that was overtaken by a later question's has nothing to add.
    else if (askedAt > held.since) {
      this.#held.set(id, { ...held, since: askedAt, until: askedAt + warrant.forMs });
    }
  }

  /** Something was learnt that the object may not know yet. */
  end(id: Id): void {
    this.#held.delete(id);
  }
}

/** A clock that was set back ends them all. */
const isStanding = ({ since, until }: Held<unknown>, now: EpochMs): boolean => since <= now && now < until;

export const keyWarrants = new HeldWarrants<KeyId, Admitted>();
export const accountWarrants = new HeldWarrants<AccountId, Lease>();
