/** Gets a lease as `worker/relay/acquire.ts` does, step by step, over the simulated network. */
import type { AccountId, EpochMs } from "../../worker/domain/ids.ts";
import type { LeaseRequest } from "../../worker/domain/lease.ts";
import type { Choice } from "../../worker/relay/schedule.ts";
import type { LeaseAnswer } from "./account-room.ts";
import type { Refusal } from "./isolate.ts";
import type { Journey } from "./journey.ts";
import { familyOf } from "./prices.ts";
import type { Task } from "./tasks.ts";
import type { World } from "./world.ts";

/** The deployment's default, `SESSION_PATIENCE_MS`. */
const SESSION_PATIENCE_MS = 5000;

/** An account that gives warrants leases itself to whoever asks. */
const ANY = "";

export interface Leased {
  readonly account: AccountId;
  readonly scarce: boolean;
}

const UNREACHABLE: LeaseAnswer = { kind: "refused", reason: "unavailable", retryAt: null, load: 0 };

export class Acquisition {
  readonly #world: World;
  readonly #journey: Journey;
  readonly #choice: Choice;
  readonly #deadline: EpochMs;
  readonly #refusals = new Map<AccountId, Refusal & { readonly load: number }>();
  /** All that ever refused, for the checks: a grant makes the worker forget a refusal. */
  readonly #refusedBy = new Set<AccountId>();
  #movedTo: AccountId | null = null;
  #isHomeKnown = false;
  #hasStayed = false;
  #isAborted = false;

  constructor(world: World, journey: Journey, choice: Choice, deadline: EpochMs) {
    this.#world = world;
    this.#journey = journey;
    this.#choice = choice;
    this.#deadline = deadline;
  }

  get home(): AccountId | null {
    return this.#choice.home;
  }

  get expected(): AccountId | null {
    return this.#movedTo ?? this.home;
  }

  /** Where the session's home told it to go; null: the home never answered. */
  get told(): AccountId | null {
    return this.#isHomeKnown ? this.expected : null;
  }

  get hadReasonToStray(): boolean {
    const { told } = this;
    return told === null || this.#refusedBy.has(told) || !this.#choice.accounts.includes(told);
  }

  shouldMoveTo(served: AccountId): boolean {
    const { expected } = this;
    if (expected === null || served === expected) return false;
    const refusal = this.#refusals.get(expected);
    return refusal !== undefined && refusal.reason !== "full";
  }

  exclude(account: AccountId, refusal: Refusal): void {
    this.#refuse(account, { ...refusal, load: 0 });
  }

  #refuse(account: AccountId, refusal: Refusal & { readonly load: number }): void {
    this.#refusals.set(account, refusal);
    this.#refusedBy.add(account);
  }

  /** @returns null when nobody can serve */
  *next(): Task<Leased | null> {
    for (;;) {
      const lease =
        (yield* this.#stay()) ?? (yield* this.#askInOrder()) ?? (yield* this.#waitWhereShortest());
      if (lease !== "again") return lease;
    }
  }

  *#askInOrder(): Task<Leased | null> {
    const { accounts, home } = this.#choice;
    for (const account of home === null ? accounts : new Set([home, ...accounts])) {
      if (this.#refusals.has(account)) continue;
      const lease = (yield* this.#ask(account, 0)) ?? (yield* this.#stay());
      if (lease !== null || this.#isAborted) return lease;
    }
    return null;
  }

  *#stay(): Task<Leased | null> {
    const { expected } = this;
    const retryAt = expected === null ? null : (this.#refusals.get(expected)?.retryAt ?? null);
    if (expected === null || retryAt === null || this.#hasStayed) return null;
    const waitMs = Math.max(0, retryAt - this.#world.timeline.now());
    if (waitMs > SESSION_PATIENCE_MS) return null;
    this.#hasStayed = true;
    yield* this.#world.sleep(waitMs);
    this.#isAborted ||= this.#journey.isClientGone;
    return this.#isAborted ? null : yield* this.#ask(expected, 0);
  }

  *#ask(account: AccountId, waitMs: number): Task<Leased | null> {
    const { isolate } = this.#journey;
    const isHome = account === this.home && this.#movedTo === null;
    const known = isHome || waitMs > 0 ? null : isolate.recall(this.#key(account));
    const decision: LeaseAnswer =
      known === null ? yield* this.#lease(account, isHome, waitMs) : { kind: "refused", ...known, load: 0 };
    if (isHome && decision !== UNREACHABLE) this.#isHomeKnown = true;
    switch (decision.kind) {
      case "granted":
        this.#refusals.delete(account);
        isolate.leased(account, decision.active);
        return { account, scarce: decision.scarce };
      case "moved":
        return yield* this.#follow(account, decision.accountId);
      case "refused":
        this.#refuse(account, decision);
        isolate.remember(this.#key(account), decision);
        return null;
    }
  }

  *#follow(home: AccountId, to: AccountId): Task<Leased | null> {
    this.#movedTo = to;
    const known = this.#refusals.has(to) || !this.#choice.accounts.includes(to) || to === home;
    const lease = known ? null : yield* this.#ask(to, 0);
    return lease ?? (yield* this.#ask(home, 0));
  }

  *#lease(account: AccountId, home: boolean, waitMs: number): Task<LeaseAnswer> {
    const journey = this.#journey;
    const request: LeaseRequest = {
      requestId: journey.requestId,
      affinity: journey.affinity,
      model: journey.model,
      modelFamily: familyOf(journey.model),
      home,
      place: home ? this.#choice.place : null,
      takesSlot: journey.isMetered,
      userTurn: journey.isUserTurn,
      waitMs,
    };
    const room = this.#world.account(account);
    const { isolate, requestId, isMetered } = journey;
    const askedAt = this.#world.timeline.now();
    const known = request.place === null ? isolate.accountWarrants.find(account, ANY, askedAt) : null;
    if (known !== null) {
      isolate.take(account, { requestId, takesSlot: isMetered });
      isolate.send(journey);
      return known;
    }
    journey.asking = account;
    const reply = yield* this.#world.askTwice<LeaseAnswer>(room, (answer) => {
      room.lease(request, answer);
    });
    journey.asking = null;
    const decision = reply ?? UNREACHABLE;
    if (decision.kind !== "granted") this.#world.accountChecks.stopsUsing(journey);
    else if (decision.warrant !== null) {
      isolate.accountWarrants.keep(account, ANY, { grant: decision, warrant: decision.warrant }, askedAt);
    }
    return decision;
  }

  *#waitWhereShortest(): Task<Leased | "again" | null> {
    const waitMs = this.#deadline - this.#world.timeline.now();
    const full = [...this.#refusals].filter(([, { reason }]) => reason === "full");
    const [shortest] = full.sort(([, a], [, b]) => a.load - b.load);
    if (shortest === undefined || waitMs <= 0 || this.#isAborted) return null;
    const lease = yield* this.#ask(shortest[0], waitMs);
    if (lease !== null) return lease;
    return this.#refusals.get(shortest[0])?.reason === "full" ? null : "again";
  }

  #key(account: AccountId): string {
    return `${account}/${familyOf(this.#journey.model) ?? ""}/${this.#journey.model}`;
  }
}
