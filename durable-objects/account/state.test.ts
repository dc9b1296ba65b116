import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AccountConfig } from "../../worker/domain/account.ts";
import type { RequestId } from "../../worker/domain/ids.ts";
import type { AttemptOutcome, LeaseRequest } from "../../worker/domain/lease.ts";
import { accountConfigSchema } from "../../worker/domain/account.ts";
import * as leases from "./leases.ts";
import * as state_ from "./state.ts";

const machine = {
  ...state_,
  ...leases,
  release: (state: state_.AccountState, requestId: RequestId, outcome: AttemptOutcome, now: number) =>
    leases.release(state, { requestId, outcome, windows: null }, now),
};

const NOW = 1_900_000_000_000;
const MODEL = "claude-sonnet-4-5";

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
  ...overrides,
});

const requestId = (number: number) => `req_${String(number).padStart(8, "0")}` as RequestId;

const ask = (number: number, overrides: Partial<LeaseRequest> = {}): LeaseRequest => ({
  requestId: requestId(number),
  affinity: null,
  model: MODEL,
  modelFamily: "sonnet",
  home: false,
  place: null,
  userTurn: false,
  takesSlot: true,
  waitMs: 0,
  ...overrides,
});

const failed = (overrides: Partial<Extract<AttemptOutcome, { kind: "failed" }>> = {}): AttemptOutcome => ({
  kind: "failed",
  scope: "account",
  target: null,
  reason: "rate_limited",
  until: null,
  message: "",
  ...overrides,
});

/** A state in which these requests hold a lease. */
const holding = (count: number, overrides: Partial<AccountConfig> = {}) =>
  Array.from({ length: count }, (_, index) => index).reduce(
    (state, index) => machine.lease(state, ask(index), NOW).state,
    machine.emptyState(config(overrides)),
  );

describe("lease", () => {
  it("grants every slot and refuses the next request as full", () => {
    const { decision } = machine.lease(holding(2), ask(2), NOW);
    expect(decision).toMatchObject({ kind: "refused", reason: "full" });
  });

  it("grants without limit where none is set", () => {
    expect(holding(500, { maxConcurrency: 0 }).slotsUsed).toBe(500);
  });

  it("gives the same request one slot, however often it asks", () => {
    const once = machine.lease(machine.emptyState(config()), ask(1), NOW).state;
    const twice = machine.lease(once, ask(1), NOW + 5);
    expect(twice.decision.kind).toBe("granted");
    expect(twice.state.slotsUsed).toBe(1);
  });

  it("gives a request that asks again while it waits one place, and one slot", () => {
    const once = machine.lease(holding(2), ask(7, { waitMs: 1000 }), NOW).state;
    const twice = machine.lease(once, ask(7, { waitMs: 1000 }), NOW + 5);
    expect(twice.decision.kind).toBe("waiting");
    expect(twice.state.queue.waiters).toHaveLength(1);
    const freed = [0, 1].reduce(
      (state, number) => machine.release(state, requestId(number), { kind: "ok" }, NOW + 9),
      twice.state,
    );
    const woken = machine.wake(freed, NOW + 9);
    expect(woken.decision).toHaveLength(1);
    expect(woken.state.slotsUsed).toBe(1);
  });

  it("lets nobody overtake those who wait", () => {
    const waiting = machine.lease(holding(2), ask(7, { waitMs: 1000 }), NOW).state;
    const freed = machine.release(waiting, requestId(0), { kind: "ok" }, NOW);
    expect(machine.lease(freed, ask(8), NOW).decision).toMatchObject({ kind: "refused", reason: "full" });
    expect(machine.wake(freed, NOW).decision).toEqual([
      { requestId: requestId(7), grant: { kind: "granted" } },
    ]);
  });

  it("frees the slot of a worker that died once its lease is over", () => {
    const later = NOW + machine.LEASE_TTL_MS;
    expect(machine.lease(holding(2), ask(9), later - 1).decision.kind).toBe("refused");
    expect(machine.lease(holding(2), ask(9), later).decision.kind).toBe("granted");
  });

  it("leaves what a dead worker held to those who wait, and has them woken at once", () => {
    const waiting = machine.lease(holding(2), ask(7, { waitMs: 200_000 }), NOW).state;
    const later = NOW + machine.LEASE_TTL_MS;
    const { state, decision } = machine.lease(waiting, ask(9, { waitMs: 200_000 }), later);
    expect(decision.kind).toBe("waiting");
    expect(machine.nextWakeAt(state, later)).toBeLessThanOrEqual(later);
    expect(machine.wake(state, later).decision).toHaveLength(2);
  });

  it("keeps a lease that is renewed", () => {
    const renewed = machine.renew(holding(2), [requestId(0), requestId(1)], NOW + 60_000);
    expect(machine.lease(renewed, ask(9), NOW + machine.LEASE_TTL_MS).decision.kind).toBe("refused");
  });

  it("refuses every request of an account that is switched off or stopped", () => {
    const off = machine.emptyState(config({ enabled: false }));
    expect(machine.lease(off, ask(1), NOW).decision).toMatchObject({ reason: "disabled" });
    const stopped = machine.release(holding(1), requestId(0), { kind: "disabled", reason: "banned" }, NOW);
    expect(machine.lease(stopped, ask(1), NOW).decision).toMatchObject({ reason: "disabled" });
    expect(machine.lease(machine.reset(stopped), ask(1), NOW).decision.kind).toBe("granted");
  });
});

describe("release", () => {
  it("is the same twice as once", () => {
    const once = machine.release(holding(2), requestId(0), { kind: "ok" }, NOW);
    expect(machine.release(once, requestId(0), { kind: "ok" }, NOW)).toEqual(once);
  });

  it("of a request that waits takes it out of the queue", () => {
    const waiting = machine.lease(holding(2), ask(7, { waitMs: 1000 }), NOW).state;
    expect(machine.release(waiting, requestId(7), { kind: "neutral" }, NOW).queue.waiters).toEqual([]);
  });
});

describe("wake", () => {
  it("tells those whose time is over that the account is full, and others nothing", () => {
    let state = machine.lease(holding(2), ask(7, { waitMs: 1000 }), NOW).state;
    state = machine.lease(state, ask(8, { waitMs: 5000 }), NOW).state;
    const { state: next, decision } = machine.wake(state, NOW + 1000);
    expect(decision).toMatchObject([{ requestId: requestId(7), grant: { kind: "refused", reason: "full" } }]);
    expect(next.queue.waiters).toHaveLength(1);
  });

  it("sends those who wait elsewhere when the account cools down", () => {
    const waiting = machine.lease(holding(2), ask(7, { waitMs: 9000 }), NOW).state;
    const cooled = machine.release(waiting, requestId(0), failed({ until: NOW + 60_000 }), NOW);
    expect(machine.wake(cooled, NOW).decision).toMatchObject([
      { requestId: requestId(7), grant: { kind: "refused", reason: "rate_limited", retryAt: NOW + 60_000 } },
    ]);
  });
});

describe("availability", () => {
  it("says for every state whether the account can be scheduled, and why not", () => {
    const kind = (state: state_.AccountState) => machine.availability(state, NOW).kind;
    expect(kind(machine.emptyState(config()))).toBe("available");
    expect(kind(holding(2))).toBe("full");
    expect(kind(machine.emptyState(config({ enabled: false })))).toBe("disabled");
    expect(kind(machine.release(holding(1), requestId(0), failed(), NOW))).toBe("cooling");
    expect(
      kind(machine.release(holding(1), requestId(0), failed({ scope: "modelFamily", target: "opus" }), NOW)),
    ).toBe("available");
  });
});

type Step =
  | { readonly do: "lease"; readonly id: number; readonly waitMs: number }
  | { readonly do: "release"; readonly id: number; readonly outcome: AttemptOutcome }
  | { readonly do: "renew"; readonly id: number }
  | { readonly do: "wake" }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "configure"; readonly maxConcurrency: number };

const id = fc.integer({ min: 0, max: 12 });
const outcome = fc.constantFrom<AttemptOutcome>(
  { kind: "ok" },
  { kind: "neutral" },
  failed(),
  failed({ scope: "model", target: MODEL, reason: "model" }),
  { kind: "disabled", reason: "banned" },
);
const step = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.record({ do: fc.constant("lease" as const), id, waitMs: fc.constantFrom(0, 500, 5000) }),
  fc.record({ do: fc.constant("release" as const), id, outcome }),
  fc.record({ do: fc.constant("renew" as const), id }),
  fc.record({ do: fc.constant("wake" as const) }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1, 400, 30_000, 100_000) }),
  fc.record({ do: fc.constant("configure" as const), maxConcurrency: fc.integer({ min: 0, max: 4 }) }),
);

describe("any history of calls", () => {
  it("never grants beyond the limit, counts its slots right, and loses no waiter", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let state = machine.emptyState(config());
        let now = NOW;
        /** Those who were told to wait and have heard nothing since. */
        const waiting = new Set<RequestId>();
        for (const each of steps) {
          const before = state;
          switch (each.do) {
            case "lease": {
              const request = ask(each.id, { waitMs: each.waitMs });
              if (waiting.has(request.requestId)) break;
              const result = machine.lease(state, request, now);
              state = result.state;
              if (result.decision.kind === "waiting") waiting.add(request.requestId);
              if (result.decision.kind === "granted" && !before.leases.has(request.requestId)) {
                const limit = state.config.maxConcurrency;
                expect(limit === 0 || state.slotsUsed <= limit).toBe(true);
              }
              break;
            }
            case "release":
              state = machine.release(state, requestId(each.id), each.outcome, now);
              waiting.delete(requestId(each.id));
              break;
            case "renew":
              if (state.leases.has(requestId(each.id)))
                state = machine.renew(state, [requestId(each.id)], now);
              break;
            case "wake": {
              const result = machine.wake(state, now);
              state = result.state;
              for (const { requestId: woken } of result.decision) waiting.delete(woken);
              break;
            }
            case "pass":
              now += each.ms;
              break;
            case "configure":
              state = { ...state, config: config({ maxConcurrency: each.maxConcurrency }) };
              break;
          }
          expect(state.slotsUsed).toBe([...state.leases.values()].filter((held) => held.takesSlot).length);
          expect(new Set(state.queue.waiters.map(({ request }) => request.requestId))).toEqual(waiting);
        }
        const end = machine.wake(machine.sweep(state, now + 200_000), now + 200_000);
        expect(end.state.queue.waiters).toEqual([]);
        expect([...end.state.leases.values()].every(({ deadline }) => deadline > now + 200_000)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
