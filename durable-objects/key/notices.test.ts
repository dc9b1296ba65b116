import { describe, expect, it } from "vitest";
import { personIdSchema } from "../../worker/domain/ids.ts";
import type { KeyConfig } from "../../worker/domain/key.ts";
import { config, DAY_MS, DEPLOYMENT, dollars, NOW } from "./__fixtures__/builders.ts";
import { NOTHING, spend } from "./spending.ts";
import { noticesOf } from "./notices.ts";
import { configure, emptyState, rolled, type KeyState } from "./state.ts";

const key = (overrides: Partial<KeyConfig>): KeyState =>
  rolled(emptyState(config(overrides)), DEPLOYMENT, NOW);

const spent = (before: KeyState, amount: number, now = NOW): KeyState => {
  const state = rolled(before, DEPLOYMENT, now);
  return {
    ...state,
    tallies: spend(state.tallies, { ...NOTHING, cost: dollars(amount) }, state.config, now),
  };
};

const told = (before: KeyState, after: KeyState, now = NOW) =>
  noticesOf(before, after, DEPLOYMENT, now).map(({ notice, topic }) => [notice.kind, topic?.split("/")[2]]);

describe("noticesOf", () => {
  it("tells of four fifths and of the end of a budget, once each in its period", () => {
    const start = key({ dailyCost: 10 });
    const some = spent(start, 7.99);
    const near = spent(some, 0.01);
    const more = spent(near, 1);
    const all = spent(more, 1);
    const over = spent(all, 1);
    expect(told(start, some)).toEqual([]);
    expect(told(some, near)).toEqual([["key_near_budget", "daily_cost"]]);
    expect(told(near, more)).toEqual([]);
    expect(told(more, all)).toEqual([["key_exhausted", "daily_cost"]]);
    expect(told(all, over)).toEqual([]);
    const tomorrow = NOW + DAY_MS;
    expect(told(over, spent(over, 9, tomorrow), tomorrow)).toEqual([["key_near_budget", "daily_cost"]]);
  });

  it("speaks of the person whose keys share a budget", () => {
    const ownerId = personIdSchema.parse("per_00000007");
    const start = key({ dailyCost: 10, booksUsage: false, ownerId, name: "ada" });
    const [signal] = noticesOf(start, spent(start, 9), DEPLOYMENT, NOW);
    expect(signal?.notice).toMatchObject({
      title: 'The keys of "ada" have together nearly used up their daily budget',
      subject: { kind: "person", id: ownerId, name: "ada" },
    });
  });

  it("tells of the end only, where one request passes both", () => {
    const start = key({ totalCost: 1 });
    expect(told(start, spent(start, 5))).toEqual([["key_exhausted", "total_cost"]]);
  });

  it("tells of every budget by itself, and of no pace", () => {
    const start = key({ totalCost: 1, weeklyCost: 1, windowCost: 1, windowMinutes: 60 });
    expect(told(start, spent(start, 1))).toEqual([
      ["key_exhausted", "total_cost"],
      ["key_exhausted", "weekly_cost"],
    ]);
  });

  it("tells of a budget that was lowered below what is spent, and not of one that was raised", () => {
    const half = spent(key({ totalCost: 10 }), 5);
    const set = (totalCost: number) => configure(half, config({ totalCost }), DEPLOYMENT, NOW);
    expect(told(half, set(6))).toEqual([["key_near_budget", "total_cost"]]);
    expect(told(half, set(5))).toEqual([["key_exhausted", "total_cost"]]);
    expect(told(set(5), set(6))).toEqual([]);
    expect(told(set(5), set(100))).toEqual([]);
  });

  it("says what is spent and when the budget begins anew", () => {
    const start = key({ dailyCost: 10 });
    const [signal] = noticesOf(start, spent(start, 8.5), DEPLOYMENT, NOW);
    expect(signal?.notice.title).toBe('Key "test" has nearly used up its daily budget');
    expect(signal?.notice.lines).toEqual([
      "Spent: $8.50 of $10.00 (85 %)",
      "It begins anew at 2030-03-14 00:00 UTC.",
    ]);
  });

  it("costs nothing where nothing was spent", () => {
    const start = key({ dailyCost: 10 });
    expect(noticesOf(start, { ...start, lastUsedAt: NOW }, DEPLOYMENT, NOW)).toEqual([]);
  });
});
