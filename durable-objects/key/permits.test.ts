import { describe, expect, it } from "vitest";
import type { KeyConfig } from "../../worker/domain/key.ts";
import {
  askFor,
  config,
  DAY_MS,
  DEPLOYMENT,
  dollars,
  ended,
  NOW,
  requestId,
} from "./__fixtures__/builders.ts";
import { admit } from "./admission.ts";
import { atListPrice, checkpoint, extend, PERMIT_TTL_MS, settle, sweep, withdraw } from "./permits.ts";
import { emptyState, type KeyState } from "./state.ts";

const OPUS = "claude-opus-4-5";

/** A key with these requests running, each with what it may cost. */
const running = (costs: readonly number[], overrides: Partial<KeyConfig> = {}, model = OPUS): KeyState =>
  costs.reduce(
    (state, cost, index) => admit(state, askFor(index, dollars(cost), { model }), DEPLOYMENT, NOW).state,
    emptyState(config({ hardBudget: true, ...overrides })),
  );

const extended = (state: KeyState, number: number, cost: number, now = NOW) =>
  extend(state, requestId(number), dollars(cost), { deployment: DEPLOYMENT, now });

describe("extend", () => {
  it("allows twice what a request cost so far, as long as there is so much", () => {
    const { state, decision } = extended(running([1], { dailyCost: 10 }), 0, 1);
    expect(decision).toBe(dollars(2));
    expect(state.reserved.cost).toBe(dollars(2));
    expect(extended(state, 0, 2).decision).toBe(dollars(4));
    expect(extended(state, 0, 8).decision).toBe(dollars(10));
  });

  it("allows no more than what others leave", () => {
    const { state, decision } = extended(running([1, 6], { dailyCost: 10 }), 0, 3);
    expect(decision).toBe(dollars(4));
    expect(state.reserved.cost).toBe(dollars(10));
  });

  it("tells a request that has had everything to end", () => {
    const { decision } = extended(running([4, 6], { dailyCost: 10 }), 0, 4);
    expect(decision).toBe(dollars(4));
  });

  it("never takes back what was allowed", () => {
    const state = running([4], { dailyCost: 10, weeklyPremiumCost: 10 });
    const after = extended(state, 0, 0.5);
    expect(after.decision).toBe(dollars(4));
    expect(after.state.reserved).toEqual(state.reserved);
  });

  it("asks every budget, the one for premium models too", () => {
    const state = running([1], { dailyCost: 10, weeklyPremiumCost: 1.5 });
    expect(extended(state, 0, 1).decision).toBe(dollars(1.5));
    const sonnet = running([1], { dailyCost: 10, weeklyPremiumCost: 1.5 }, "claude-sonnet-4-5");
    expect(extended(sonnet, 0, 1).decision).toBe(dollars(2));
  });

  it("asks the budget of the day on which it is asked", () => {
    const spent = settle(running([1, 9], { dailyCost: 10 }), ended(1, { cost: dollars(9) }), DEPLOYMENT, NOW);
    expect(extended(spent, 0, 1).decision).toBe(dollars(1));
    expect(extended(spent, 0, 1, NOW + DAY_MS).decision).toBe(dollars(2));
  });

  it("is in list prices at any rate, and without end where nothing is charged", () => {
    const state = running([1], { dailyCost: 10, rates: { claude: 2 } });
    expect(extended(state, 0, 1).decision).toBe(dollars(2));
    expect(extended(state, 0, 4).decision).toBe(dollars(5));
    expect(extended(running([1], { dailyCost: 10, rates: { claude: 0 } }), 0, 1).decision).toBe(Infinity);
  });

  it("gives on and on where the key has no budget, and nothing to a request without a permit", () => {
    expect(extended(running([1]), 0, 100).decision).toBe(dollars(200));
    expect(extended(running([1], { dailyCost: 10 }), 7, 1).decision).toBe(0);
  });
});

describe("atListPrice", () => {
  it("rounds in the budget's favour", () => {
    const state = emptyState(config({ rates: { claude: 1.5, droid: 0 } }));
    expect(atListPrice(state, 100, "claude")).toBe(66);
    expect(atListPrice(state, 100, "openai")).toBe(100);
    expect(atListPrice(state, 100, "droid")).toBeNull();
  });
});

describe("settle", () => {
  it("gives back what was held and counts what was spent, however much it was", () => {
    const state = settle(running([1]), ended(0, { cost: dollars(3), model: OPUS }), DEPLOYMENT, NOW);
    expect(state.permits.size).toBe(0);
    expect(state.reserved).toEqual({ requests: 0, tokens: 0, cost: 0, premiumCost: 0 });
    expect(state.tallies.total).toMatchObject({ cost: dollars(3), premiumCost: dollars(3) });
  });

  it("charges the model that answered", () => {
    const state = settle(running([1]), ended(0, { cost: dollars(1) }), DEPLOYMENT, NOW);
    expect(state.tallies.total).toMatchObject({ cost: dollars(1), premiumCost: 0 });
  });

  it("counts a request whose permit was lost, too", () => {
    const state = settle(emptyState(config()), ended(0, { cost: dollars(1) }), DEPLOYMENT, NOW);
    expect(state.totals).toMatchObject({ requests: 1, cost: dollars(1) });
    expect(state.tallies.day?.spent.cost).toBe(dollars(1));
  });
});

describe("sweep", () => {
  it("gives back what a dead worker's request held, and charges what was known of it", () => {
    const state = running([5], { dailyCost: 10 });
    const held = state.permits.get(requestId(0));
    const drafts = held === undefined ? [] : [{ ...held.draft, cost: dollars(2) }];
    const { state: swept } = sweep(checkpoint(state, drafts, NOW), DEPLOYMENT, NOW + PERMIT_TTL_MS);
    expect(swept.reserved.cost).toBe(0);
    expect(swept.tallies.day?.spent.cost).toBe(dollars(2));
  });
});

describe("withdraw", () => {
  const LIMITS = { dailyCost: 10, windowMinutes: 5, windowRequests: 100 };

  it("leaves the key as if the request had never been asked for", () => {
    const before = running([1, 2], { ...LIMITS, hardBudget: false });
    const { state } = admit(before, askFor(7, dollars(3), { model: OPUS }), DEPLOYMENT, NOW + 1000);
    const after = withdraw(state, requestId(7));
    expect(after.permits).toEqual(before.permits);
    expect(after.reserved).toEqual(before.reserved);
    expect(after.tallies).toEqual(before.tallies);
    expect(withdraw(after, requestId(7))).toBe(after);
  });

  it("takes nothing from a window that began after the request", () => {
    const state = running([1], LIMITS);
    const later = NOW + 6 * 60_000;
    const next = admit(state, askFor(8, dollars(1), { model: OPUS }), DEPLOYMENT, later).state;
    const { window, total } = withdraw(next, requestId(0)).tallies;
    expect(window).toEqual(next.tallies.window);
    expect(total.requests).toBe(next.tallies.total.requests - 1);
  });
});
