import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RequestId } from "../../worker/domain/ids.ts";
import type { KeyConfig } from "../../worker/domain/key.ts";
import { settlementOf } from "../../worker/domain/permit.ts";
import { NO_USAGE } from "../../worker/domain/usage.ts";
import * as builders from "./__fixtures__/builders.ts";
import { ask, DEPLOYMENT, NOW, record, requestId } from "./__fixtures__/builders.ts";
import * as admission from "./admission.ts";
import * as permits from "./permits.ts";
import * as rules from "./rules.ts";
import * as state_ from "./state.ts";

const machine = { ...state_, ...rules, ...permits, ...admission };

/** A key with two slots and three places to wait. */
const config = (overrides: Partial<KeyConfig> = {}) =>
  builders.config({ concurrency: 2, queueLength: 3, ...overrides });

const admitted = (count: number, overrides: Partial<KeyConfig> = {}) =>
  Array.from({ length: count }, (_, index) => index).reduce(
    (state, index) => machine.admit(state, ask(index), DEPLOYMENT, NOW).state,
    machine.emptyState(config(overrides)),
  );

describe("admit", () => {
  it("fills the slots, then the queue, then refuses with a time to come back", () => {
    let state = admitted(2);
    for (const number of [2, 3, 4]) {
      const step = machine.admit(state, ask(number), DEPLOYMENT, NOW);
      expect(step.decision.kind).toBe("waiting");
      state = step.state;
    }
    expect(machine.admit(state, ask(5), DEPLOYMENT, NOW).decision).toMatchObject({
      kind: "refused",
      error: { code: "concurrency_exceeded", retryAfterMs: 5000 },
    });
  });

  it("says the same of every key that is not live", () => {
    const dead = [
      machine.emptyState(config({ enabled: false })),
      machine.emptyState(config({ expiresAt: NOW })),
      { ...machine.emptyState(config()), revoked: true },
    ];
    const decisions = dead.map((state) => machine.admit(state, ask(1), DEPLOYMENT, NOW).decision);
    expect(new Set(decisions.map((decision) => JSON.stringify(decision))).size).toBe(1);
    expect(decisions[0]).toMatchObject({ error: { code: "unauthenticated" } });
  });

  it("gives a request that asks again while it waits one place, and one permit", () => {
    const estimate = { tokens: 10, cost: 100 };
    const again = { ...ask(2), estimate };
    const once = machine.admit(admitted(2), again, DEPLOYMENT, NOW).state;
    const twice = machine.admit(once, again, DEPLOYMENT, NOW + 5);
    expect(twice.decision.kind).toBe("waiting");
    expect(twice.state.queue.waiters).toHaveLength(1);
    const freed = [0, 1].reduce(
      (state, number) => machine.settle(state, settlementOf(record(number), "claude"), DEPLOYMENT, NOW + 9),
      twice.state,
    );
    const woken = machine.wake(freed, DEPLOYMENT, NOW + 9);
    expect(woken.decision).toHaveLength(1);
    expect(woken.state.reserved).toMatchObject(estimate);
  });

  it("tells a request that asks again the same allowance, since the first answer may be lost", () => {
    const empty = machine.emptyState(config({ totalCost: 1, hardBudget: true }));
    const costly = { ...ask(1), estimate: { tokens: 10, cost: 400_000_000 } };
    const once = machine.admit(empty, costly, DEPLOYMENT, NOW);
    expect(once.decision).toEqual({ kind: "admitted", allowance: 400_000_000 });
    expect(machine.admit(once.state, costly, DEPLOYMENT, NOW + 5).decision).toEqual(once.decision);
  });

  it("makes no permit for a call that is not metered", () => {
    const { state, decision } = machine.admit(admitted(2), { ...ask(9), metered: false }, DEPLOYMENT, NOW);
    expect(decision.kind).toBe("admitted");
    expect(state.permits.size).toBe(2);
  });
});

describe("expiryOf", () => {
  const HOUR = 3_600_000;
  it("is the earlier of the fixed date and the lifetime from first use", () => {
    const activation = { amount: 2, unit: "hours" } as const;
    const used = machine.admit(machine.emptyState(config({ activation })), ask(1), DEPLOYMENT, NOW).state;
    expect(machine.expiryOf(machine.emptyState(config({ activation })))).toBeNull();
    expect(machine.expiryOf(used)).toBe(NOW + 2 * HOUR);
    expect(machine.expiryOf({ ...used, config: config({ activation, expiresAt: NOW + HOUR }) })).toBe(
      NOW + HOUR,
    );
  });
});

describe("configure", () => {
  const WEEK_MS = 7 * 24 * 3_600_000;

  it("keeps what was spent in a week that runs, and not what was spent in one that is over", () => {
    const before = machine.settle(
      admitted(1, { weeklyCost: 5 }),
      settlementOf(record(0, { cost: 1000 }), "claude"),
      DEPLOYMENT,
      NOW,
    );
    const changed = config({ weeklyCost: 5, name: "another name" });
    expect(machine.configure(before, changed, DEPLOYMENT, NOW + 1).tallies.week?.spent.cost).toBe(1000);
    const later = machine.configure(before, changed, DEPLOYMENT, NOW + WEEK_MS);
    expect(later.tallies.week?.spent.cost).toBe(0);
  });

  it("does not bring back a window that is over by making windows longer", () => {
    const before = admitted(1, { windowMinutes: 1, windowRequests: 9 });
    const longer = config({ windowMinutes: 60, windowRequests: 9 });
    expect(machine.configure(before, longer, DEPLOYMENT, NOW + 1000).tallies.window?.spent.requests).toBe(1);
    expect(machine.configure(before, longer, DEPLOYMENT, NOW + 120_000).tallies.window).toBeNull();
  });
});

describe("sweep", () => {
  it("settles a dead worker's request from its last checkpoint, once", () => {
    const draft = record(0, { outcome: "lost", tokens: { ...NO_USAGE, output: 42 }, cost: 7 });
    const alive = machine.checkpoint(admitted(1), [draft], NOW + 30_000);
    expect(machine.sweep(alive, DEPLOYMENT, NOW + 119_999).decision).toEqual([]);
    const { state, decision } = machine.sweep(alive, DEPLOYMENT, NOW + 120_000);
    expect(decision).toMatchObject([{ tokens: 42, cost: 7 }]);
    expect(JSON.parse(decision[0]?.record ?? "")).toMatchObject({
      outcome: "lost",
      estimated: true,
      cost: 7,
    });
    expect(machine.sweep(state, DEPLOYMENT, NOW + 999_999).decision).toEqual([]);
    expect(state.totals).toMatchObject({ requests: 1, tokens: 42, cost: 7 });
  });
});

describe("wake", () => {
  it("admits those who wait in their order as slots come free", () => {
    let state = admitted(2);
    for (const number of [2, 3]) state = machine.admit(state, ask(number), DEPLOYMENT, NOW).state;
    const step = machine.wake(
      machine.settle(state, settlementOf(record(0), "claude"), DEPLOYMENT, NOW),
      DEPLOYMENT,
      NOW,
    );
    expect(step.decision).toEqual([
      { requestId: requestId(2), admission: { kind: "admitted", allowance: null } },
    ]);
    expect(step.state.queue.waiters.map(({ request }) => request.requestId)).toEqual([requestId(3)]);
  });

  it("refuses those who wait when the key is switched off", () => {
    const state = machine.admit(admitted(2), ask(2), DEPLOYMENT, NOW).state;
    const { decision } = machine.wake({ ...state, config: config({ enabled: false }) }, DEPLOYMENT, NOW);
    expect(decision).toMatchObject([{ admission: { kind: "refused", error: { code: "unauthenticated" } } }]);
  });
});

describe("any history of calls", () => {
  const id = fc.integer({ min: 0, max: 10 });
  const step = fc.oneof(
    fc.record({ do: fc.constant("admit" as const), id }),
    fc.record({ do: fc.constant("settle" as const), id }),
    fc.record({ do: fc.constant("cancel" as const), id }),
    fc.record({ do: fc.constant("checkpoint" as const), id }),
    fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1, 5000, 40_000, 100_000) }),
  );

  it("never holds more permits than the limit, and ends each admitted request as exactly one record", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let [state, now] = [machine.emptyState(config()), NOW];
        const asked = new Set<RequestId>();
        const admittedIds = new Set<RequestId>();
        const booked: RequestId[] = [];
        const serve = () => {
          const swept = machine.sweep(state, DEPLOYMENT, now);
          booked.push(...swept.decision.map((lost) => lost.requestId));
          const woken = machine.wake(swept.state, DEPLOYMENT, now);
          state = woken.state;
          for (const each of woken.decision)
            if (each.admission.kind === "admitted") admittedIds.add(each.requestId);
        };
        for (const each of steps) {
          if (each.do === "pass") now += each.ms;
          serve();
          switch (each.do) {
            case "admit": {
              if (asked.has(requestId(each.id))) break;
              asked.add(requestId(each.id));
              const result = machine.admit(state, ask(each.id), DEPLOYMENT, now);
              state = result.state;
              if (result.decision.kind === "admitted") admittedIds.add(requestId(each.id));
              break;
            }
            case "settle":
              if (!admittedIds.has(requestId(each.id)) || booked.includes(requestId(each.id))) break;
              state = machine.settle(state, settlementOf(record(each.id), "claude"), DEPLOYMENT, now);
              booked.push(requestId(each.id));
              break;
            case "cancel":
              state = machine.cancel(state, requestId(each.id));
              break;
            case "checkpoint":
              state = machine.checkpoint(state, [record(each.id)], now);
              break;
            case "pass":
              break;
          }
          serve();
          expect(state.permits.size).toBeLessThanOrEqual(2);
        }
        now += 500_000;
        serve();
        now += 500_000;
        serve();
        expect(state.permits.size).toBe(0);
        expect([...booked].sort()).toEqual([...admittedIds].sort());
        expect(state.totals.requests).toBe(booked.length);
      }),
      { numRuns: 500 },
    );
  });
});

describe("configure", () => {
  it("keeps the newest configuration, in whatever order they come", () => {
    const first = machine.emptyState(config({ updatedAt: NOW }));
    const set = (state: state_.KeyState, updatedAt: number, concurrency: number) =>
      machine.configure(state, config({ updatedAt, concurrency }), DEPLOYMENT, NOW);
    const newer = set(first, NOW + 2, 7);
    expect(newer.config.concurrency).toBe(7);
    expect(set(newer, NOW + 1, 9)).toBe(newer);
    expect(set(newer, NOW + 2, 9).config.concurrency).toBe(9);
  });
});

describe("withoutSpending", () => {
  it("begins every period anew, and keeps totals and what running requests hold back", () => {
    const limited = admitted(1, { totalCost: 10, dailyCost: 10, windowMinutes: 5, windowCost: 10 });
    const settled = permits.settle(limited, builders.ended(9, { cost: 5e9 }), DEPLOYMENT, NOW);
    const reset = machine.withoutSpending(settled, DEPLOYMENT, NOW);
    expect(reset.tallies.total.cost).toBe(0);
    expect(reset.tallies.day?.spent.cost).toBe(0);
    expect(reset.tallies.window).toBeNull();
    expect(reset.totals.cost).toBe(5e9);
    expect([reset.permits, reset.reserved]).toEqual([settled.permits, settled.reserved]);
  });
});
