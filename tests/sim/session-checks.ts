/**
 * What is promised of sessions, checked as it happens.
 *
 * A session is served by the account that its home names: the one it was handed over to or placed at, for as long
 * as it is used once in nine tenths of a pointer's life, else the home itself. A request may go elsewhere for one
 * of these reasons only:
 * - the account refused it, or its attempt there failed;
 * - the account is not among those that the request may use;
 * - the home could not be asked, twice.
 * So two requests of one session run at two accounts at the same time only if one of them had such a reason, or
 * if the session moved between their beginnings: then their homes told them different accounts.
 */
import type { AccountId, Affinity, EpochMs } from "../../worker/domain/ids.ts";
import type { LeaseRequest } from "../../worker/domain/lease.ts";
import type { Journey } from "./journey.ts";
import type { Timeline } from "./timeline.ts";
import type { Violation } from "./violation.ts";

export const SESSION_TTL_MS = 3_600_000;
/** A pointer is renewed by use once a tenth of its life has passed, so this much of it is certain. */
const POINTER_CERTAIN_MS = SESSION_TTL_MS * 0.9;

interface Place {
  readonly account: AccountId;
  readonly usedAt: EpochMs;
}

/** A request's stay at an account. */
export interface Stay {
  readonly account: AccountId;
  /** Where its home told it to go; null: it could not be asked. */
  readonly told: AccountId | null;
  /** It had one of the reasons above to go elsewhere. */
  readonly hadReason: boolean;
}

export class SessionChecks {
  readonly #timeline: Timeline;
  readonly #violation: (invariant: string, detail: string) => Violation;
  readonly #places = new Map<string, Place>();
  readonly #stays = new Map<Affinity, Map<Journey, Stay>>();

  constructor(timeline: Timeline, violation: (invariant: string, detail: string) => Violation) {
    this.#timeline = timeline;
    this.#violation = violation;
  }

  handedOver(home: AccountId, affinity: Affinity, to: AccountId): void {
    this.#places.set(`${home} ${affinity}`, { account: to, usedAt: this.#timeline.now() });
  }

  /** @param livesAt null: at home */
  homeSays(home: AccountId, { affinity, place }: LeaseRequest, livesAt: AccountId | null): void {
    const id = `${home} ${affinity ?? ""}`;
    const now = this.#timeline.now();
    const known = this.#places.get(id);
    const isCertain = known !== undefined && now - known.usedAt < POINTER_CERTAIN_MS;
    if (isCertain ? livesAt !== known.account : livesAt !== known?.account && livesAt !== place) {
      const detail = `${home} says that ${id} lives at ${livesAt ?? "home"}, not at ${known?.account ?? "home"}`;
      throw this.#violation("sessions stay where they went", detail);
    }
    if (livesAt === null) this.#places.delete(id);
    else this.#places.set(id, { account: livesAt, usedAt: now });
  }

  begins(journey: Journey, stay: Stay): void {
    if (journey.affinity === null) return;
    const strays = (one: Stay) => one.account !== one.told;
    if (strays(stay) && !stay.hadReason) {
      const detail = `${journey.requestId} went to ${stay.account} instead of ${stay.told ?? "anywhere"}`;
      throw this.#violation("no request strays without a reason", detail);
    }
    const others = this.#stays.get(journey.affinity) ?? new Map<Journey, Stay>();
    for (const [other, theirs] of others) {
      if (other === journey || theirs.account === stay.account) continue;
      if (strays(stay) || strays(theirs) || stay.told !== theirs.told) continue;
      const detail = `${journey.affinity} is served by ${theirs.account} and ${stay.account}`;
      throw this.#violation("one account a session at a time", detail);
    }
    this.#stays.set(journey.affinity, others.set(journey, stay));
  }

  ends(journey: Journey): void {
    if (journey.affinity === null) return;
    const stays = this.#stays.get(journey.affinity);
    stays?.delete(journey);
    if (stays?.size === 0) this.#stays.delete(journey.affinity);
  }
}
