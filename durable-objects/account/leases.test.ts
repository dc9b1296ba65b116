/** Slots and turns together: who goes, who waits, and in which order. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accountConfigSchema, type AccountConfig } from "../../worker/domain/account.ts";
import type { RequestId } from "../../worker/domain/ids.ts";
import type { LeaseRequest } from "../../worker/domain/lease.ts";
import { lease, LEASE_TTL_MS, release, renew, turnAnswered, wake } from "./leases.ts";
import { emptyState, nextWakeAt, type AccountState } from "./state.ts";

const NOW = 1_900_000_000_000;
const TURNS = { delayMs: 500, timeoutMs: 20_000 };

const config = (overrides: Partial<AccountConfig> = {}): AccountConfig => ({
  ...accountConfigSchema.parse({
    id: "acc_00000000",
    name: "test",
    provider: "claude-console",
    baseUrl: null,
    tokenUrl: null,
    priority: 50,
    weight: 100,
    maxConcurrency: 2,
    groups: [],
    models: [],
    enabled: true,
    createdAt: NOW,
    updatedAt: NOW,
  }),
  userTurns: TURNS,
  ...overrides,
});

const id = (number: number) => `req_${String(number).padStart(8, "0")}` as RequestId;

const ask = (number: number, overrides: Partial<LeaseRequest> = {}): LeaseRequest => ({
  requestId: id(number),
  affinity: null,
  model: "claude-sonnet-4-5",
  modelFamily: "sonnet",
  home: false,
  place: null,
  takesSlot: true,
  userTurn: true,
  waitMs: 60_000,
  ...overrides,
});

const end = (state: AccountState, number: number, now: number) =>
  release(state, { requestId: id(number), outcome: { kind: "ok" }, windows: null }, now);

/** The state after these requests have asked, one after the other. */
const after = (requests: readonly LeaseRequest[], overrides: Partial<AccountConfig> = {}) =>
  requests.reduce((state, request) => lease(state, request, NOW).state, emptyState(config(overrides)));

const grantedBy = (state: AccountState, now: number) =>
  wake(state, now)
    .decision.filter(({ grant }) => grant.kind === "granted")
    .map(({ requestId }) => requestId);

describe("a person's message", () => {
  it("waits for the one before it, although there is a slot", () => {
    const { decision } = lease(after([ask(1)]), ask(2), NOW);
    expect(decision.kind).toBe("waiting");
  });

  it("goes once the answer to the last has begun and the pause is over, and not before", () => {
    const answered = turnAnswered(after([ask(1), ask(2)]), id(1), NOW + 1000);
    expect(nextWakeAt(answered, NOW + 1000)).toBe(NOW + 1500);
    expect(grantedBy(answered, NOW + 1499)).toEqual([]);
    expect(grantedBy(answered, NOW + 1500)).toEqual([id(2)]);
  });

  it("goes after one that ended without an answer", () => {
    expect(grantedBy(end(after([ask(1), ask(2)]), 1, NOW + 1000), NOW + 1500)).toEqual([id(2)]);
  });

  it("gives way when its time is over, and keeps its slot", () => {
    const later = wake(after([ask(1), ask(2)], { userTurns: { ...TURNS, timeoutMs: 60_000 } }), NOW + 59_999);
    expect(later.decision).toEqual([]);
    const { state } = wake(renew(after([ask(1), ask(2)]), [id(1)], NOW + 19_000), NOW + 20_000);
    expect(state.leases.has(id(1))).toBe(true);
    expect(state.turn.holder).toBe(id(2));
  });

  it("waits no longer than its own time limit, and is refused as full then", () => {
    const state = renew(after([ask(1), ask(2, { waitMs: 5000 })]), [id(1)], NOW);
    expect(wake(state, NOW + 5000).decision).toMatchObject([
      { requestId: id(2), grant: { kind: "refused", reason: "full" } },
    ]);
  });

  it("lets what tools answer pass while it waits for its turn", () => {
    const { decision } = lease(after([ask(1), ask(2)]), ask(3, { userTurn: false }), NOW);
    expect(decision.kind).toBe("granted");
  });

  it("is not overtaken by another person's message", () => {
    const answered = turnAnswered(after([ask(1), ask(2)]), id(1), NOW);
    expect(lease(answered, ask(3), NOW + 10_000).decision.kind).toBe("waiting");
  });

  it("lets nothing pass that waits for a slot as it does", () => {
    const full = after([ask(1), ask(2, { userTurn: false }), ask(3, { userTurn: false })]);
    expect(lease(full, ask(4, { userTurn: false }), NOW).decision.kind).toBe("waiting");
    expect(grantedBy(end(full, 2, NOW), NOW)).toEqual([id(3)]);
  });

  it("is nothing special where an account has no turns", () => {
    expect(lease(after([ask(1)], { userTurns: null }), ask(2), NOW).decision.kind).toBe("granted");
  });
});

type Step =
  | { readonly do: "ask"; readonly userTurn: boolean; readonly waitMs: number }
  | { readonly do: "end" | "answer" | "renew"; readonly which: number }
  | { readonly do: "pass"; readonly ms: number };

const step = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.record({
    do: fc.constant("ask" as const),
    userTurn: fc.boolean(),
    waitMs: fc.constantFrom(0, 3000, 60_000),
  }),
  fc.record({ do: fc.constantFrom("end" as const, "answer" as const, "renew" as const), which: fc.nat(30) }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1, 499, 501, 5000, 25_000) }),
);

/** Follows an account through a history, and keeps book of what it granted and to whom it said "wait". */
class Follower {
  state: AccountState;
  now = NOW;
  #asked = 0;
  readonly #waiting: LeaseRequest[] = [];
  readonly #turns = new Map<RequestId, number>();

  constructor(slots: number) {
    this.state = emptyState(config({ maxConcurrency: slots }));
  }

  take(each: Step): void {
    switch (each.do) {
      case "ask":
        this.#ask(ask(this.#asked++, { userTurn: each.userTurn, waitMs: each.waitMs }));
        break;
      case "end":
        this.#forget(id(each.which));
        this.state = end(this.state, each.which, this.now);
        this.#turns.delete(id(each.which));
        break;
      case "answer":
        this.state = turnAnswered(this.state, id(each.which), this.now);
        this.#turns.delete(id(each.which));
        break;
      case "renew":
        if (this.state.leases.has(id(each.which))) this.state = renew(this.state, [id(each.which)], this.now);
        break;
      case "pass":
        this.now += each.ms;
        break;
    }
    this.#wake();
    this.#check();
  }

  #ask(request: LeaseRequest): void {
    const { state, decision } = lease(this.state, request, this.now);
    this.state = state;
    if (decision.kind === "waiting") this.#waiting.push(request);
    if (decision.kind === "granted") this.#granted(request);
  }

  #wake(): void {
    const { state, decision } = wake(this.state, this.now);
    this.state = state;
    const granted = decision.filter(({ grant }) => grant.kind === "granted");
    for (const kind of [true, false]) {
      const inLine = this.#waiting
        .filter(({ userTurn }) => userTurn === kind)
        .map(({ requestId }) => requestId);
      const gone = decision.map(({ requestId }) => requestId).filter((each) => inLine.includes(each));
      // Among equals those who leave the queue are its first, in order; only time limits take others out of it.
      const served = granted.map(({ requestId }) => requestId).filter((each) => inLine.includes(each));
      const ahead = inLine.filter((each) => !gone.includes(each) || served.includes(each));
      expect(served).toEqual(ahead.slice(0, served.length));
    }
    for (const { requestId } of granted) {
      const request = this.#waiting.find((each) => each.requestId === requestId);
      if (request !== undefined) this.#granted(request);
    }
    for (const { requestId } of decision) this.#forget(requestId);
  }

  #granted({ requestId, userTurn }: LeaseRequest): void {
    if (!userTurn) return;
    for (const [holder, until] of this.#turns) if (until <= this.now) this.#turns.delete(holder);
    this.#turns.set(requestId, this.now + TURNS.timeoutMs);
  }

  #forget(requestId: RequestId): void {
    const at = this.#waiting.findIndex((each) => each.requestId === requestId);
    if (at !== -1) this.#waiting.splice(at, 1);
  }

  #check(): void {
    const { maxConcurrency } = this.state.config;
    expect(this.state.slotsUsed).toBe(this.state.leases.size);
    if (maxConcurrency > 0) expect(this.state.slotsUsed).toBeLessThanOrEqual(maxConcurrency);
    expect(this.#turns.size).toBeLessThanOrEqual(1);
    expect(this.state.queue.waiters.map(({ request }) => request.requestId)).toEqual(
      this.#waiting.map(({ requestId }) => requestId),
    );
  }
}

describe("any history of an account with slots and turns", () => {
  it("never exceeds its slots, holds one turn at most, and is fair among equals", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), fc.array(step, { maxLength: 60 }), (slots, steps) => {
        const follower = new Follower(slots);
        for (const each of steps) follower.take(each);
        follower.take({ do: "pass", ms: LEASE_TTL_MS + TURNS.timeoutMs });
        expect(follower.state.queue.waiters).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
