import { describe, expect, it } from "vitest";
import type { KeyConfig } from "../../worker/domain/key.ts";
import { ask, askFor, DAY_MS, DEPLOYMENT, dollars, HOUR_MS } from "./__fixtures__/builders.ts";
import { Machine } from "./__fixtures__/machine.ts";
import { wake } from "./admission.ts";
import * as spending from "./spending.ts";
import { sweep } from "./permits.ts";

const OPUS = "claude-opus-4-5";

describe("a budget", () => {
  it("holds back what running requests may cost, and gives back what they did not", () => {
    const key = new Machine({ dailyCost: 10 });
    expect(key.try(askFor(1, dollars(6)))).toBe("admitted");
    expect(key.try(askFor(2, dollars(6)))).toBe("daily_cost_reserved");
    key.settle(1, dollars(1));
    expect(key.try(askFor(2, dollars(6)))).toBe("admitted");
    key.settle(2, dollars(6));
    expect(key.try(askFor(3, dollars(6)))).toBe("daily_cost");
    expect(key.try(askFor(3, dollars(3)))).toBe("admitted");
  });

  it("counts what was spent in the period in which the request ends", () => {
    const key = new Machine({ dailyCost: 10, weeklyCost: 100 });
    key.admit(askFor(1, dollars(10)));
    key.now += DAY_MS;
    expect(key.try(askFor(2, dollars(1)))).toBe("daily_cost_reserved");
    key.settle(1, dollars(10));
    expect(key.try(askFor(2, dollars(1)))).toBe("daily_cost");
    key.now += DAY_MS;
    expect(key.try(askFor(2, dollars(1)))).toBe("admitted");
  });

  it("charges each service at its rate", () => {
    const key = new Machine({ totalCost: 10, rates: { claude: 2, gemini: 0 } });
    key.admit(askFor(1, dollars(4)));
    expect(key.state.reserved.cost).toBe(dollars(8));
    expect(key.try(askFor(2, dollars(1.01)))).toBe("total_cost_reserved");
    expect(key.try(askFor(3, dollars(500), { service: "gemini" }))).toBe("admitted");
    key.settle(1, dollars(4));
    key.settle(3, dollars(500), { service: "gemini" });
    expect(key.state.tallies.total.cost).toBe(dollars(8));
    expect(key.state.totals.cost).toBe(dollars(504));
  });

  it("keeps one for premium models apart", () => {
    const key = new Machine({ weeklyPremiumCost: 1 });
    key.admit(askFor(1, dollars(1), { model: OPUS }));
    expect(key.try(askFor(2, dollars(1), { model: OPUS }))).toBe("weekly_premium_cost_reserved");
    expect(key.try(askFor(3, dollars(9)))).toBe("admitted");
    key.settle(1, dollars(1), { model: OPUS });
    key.settle(3, dollars(9));
    expect(key.try(askFor(4, dollars(1), { model: OPUS }))).toBe("weekly_premium_cost");
    expect(key.try(askFor(5, dollars(9)))).toBe("admitted");
  });

  it("forgets last week when the key is changed after it", () => {
    const key = new Machine({ weeklyCost: 10 });
    key.admit(askFor(1, dollars(10)));
    key.settle(1, dollars(10));
    key.now += 7 * DAY_MS;
    key.configure({ name: "renamed" });
    expect(key.try(askFor(2, dollars(10)))).toBe("admitted");
  });

  it("forgets a window that is over when windows are made longer after it", () => {
    const key = new Machine({ windowMinutes: 60, windowRequests: 1 });
    key.admit(ask(1));
    key.now += 2 * HOUR_MS;
    key.configure({ windowMinutes: 24 * 60 });
    expect(key.try(ask(2))).toBe("admitted");
  });

  it("does not hold back for the same request twice", () => {
    const key = new Machine({ totalCost: 10 });
    key.admit(askFor(1, dollars(4)));
    expect(key.try(askFor(1, dollars(4)))).toBe("admitted");
    expect(key.state.reserved.cost).toBe(dollars(4));
  });

  it("makes room again when a worker died", () => {
    const key = new Machine({ totalCost: 10 });
    key.admit(askFor(1, dollars(10)));
    key.now += 91_000;
    key.state = sweep(key.state, DEPLOYMENT, key.now).state;
    expect(key.state.reserved).toEqual(spending.NOTHING);
    expect(key.try(askFor(2, dollars(10)))).toBe("admitted");
  });
});

describe("a window", () => {
  it("is opened by its first request and ends after its minutes, whatever came between", () => {
    const key = new Machine({ windowMinutes: 60, windowRequests: 2 });
    expect([key.try(ask(1)), key.try(ask(2)), key.try(ask(3))]).toEqual([
      "admitted",
      "admitted",
      "window_requests",
    ]);
    key.now += HOUR_MS - 1;
    expect(key.admit(ask(3))).toMatchObject({ error: { code: "rate_limited", retryAfterMs: 1 } });
    key.now += 1;
    expect(key.try(ask(3))).toBe("admitted");
    expect(key.state.tallies.window).toMatchObject({ start: key.now, end: key.now + HOUR_MS });
  });

  it("counts requests when they begin, and tokens when they end", () => {
    const key = new Machine({ windowMinutes: 60, windowRequests: 5, windowTokens: 100 });
    key.admit(ask(1, { estimate: { tokens: 60, cost: 0 } }));
    expect(key.state.tallies.window?.spent).toMatchObject({ requests: 1, tokens: 0 });
    expect(key.try(ask(2, { estimate: { tokens: 60, cost: 0 } }))).toBe("window_tokens_reserved");
    key.settle(1, 0, { tokens: 70 });
    expect(key.state.tallies.window?.spent).toMatchObject({ requests: 1, tokens: 70 });
    expect(key.try(ask(2, { estimate: { tokens: 60, cost: 0 } }))).toBe("window_tokens");
    expect(key.try(ask(2, { estimate: { tokens: 30, cost: 0 } }))).toBe("admitted");
  });
});

describe("the queue", () => {
  it("serves in order of arrival, and nobody overtakes", () => {
    const key = new Machine({ concurrency: 1, queueLength: 3 });
    key.admit(ask(0));
    expect([1, 2, 3].map((number) => key.try(ask(number)))).toEqual(["waiting", "waiting", "waiting"]);
    expect(key.wake()).toEqual([]);
    key.settle(0, 0);
    expect(key.try(ask(4))).toBe("queue_full");
    expect(key.wake()).toEqual([[1, "admitted"]]);
    key.settle(1, 0);
    expect(key.try(ask(4))).toBe("waiting");
    expect(key.wake()).toEqual([[2, "admitted"]]);
  });

  it("is as long as the key says: a number, or a multiple of its slots", () => {
    const waitersOf = (overrides: Partial<KeyConfig>) => {
      const key = new Machine(overrides);
      for (let number = 0; number < 20; number++) key.admit(ask(number));
      return key.state.queue.waiters.length;
    };
    expect(waitersOf({ concurrency: 2, queueLength: 3 })).toBe(3);
    expect(waitersOf({ concurrency: 2, queueMultiple: 2.5 })).toBe(5);
    expect(waitersOf({ concurrency: 2, queueLength: 7, queueMultiple: 2.5 })).toBe(7);
    expect(waitersOf({ concurrency: 2 })).toBe(0);
    expect(waitersOf({ queueLength: 3 })).toBe(0);
  });

  it("sends those away whose time is over, with advice that grows with their wait", () => {
    const key = new Machine({ concurrency: 1, queueLength: 3, queueTimeoutMs: 60_000 });
    key.admit(ask(0));
    key.admit(ask(1));
    key.now += 59_999;
    expect(key.wake()).toEqual([]);
    key.now += 1;
    expect(wake(key.state, DEPLOYMENT, key.now).decision).toMatchObject([
      {
        admission: { error: { code: "concurrency_exceeded", reason: "queue_timeout", retryAfterMs: 30_000 } },
      },
    ]);
  });

  it("lets those wait whom running requests' reservations keep out", () => {
    const key = new Machine({ totalCost: 10, queueLength: 2 });
    key.admit(askFor(0, dollars(8)));
    expect(key.try(askFor(1, dollars(8)))).toBe("waiting");
    expect(key.try(askFor(2, dollars(1)))).toBe("waiting");
    key.settle(0, dollars(1));
    expect(key.wake()).toEqual([
      [1, "admitted"],
      [2, "admitted"],
    ]);
  });

  it("refuses those who wait once the budget is spent", () => {
    const key = new Machine({ totalCost: 10, queueLength: 2 });
    key.admit(askFor(0, dollars(8)));
    key.admit(askFor(1, dollars(8)));
    key.settle(0, dollars(8));
    expect(key.wake()).toEqual([[1, "total_cost"]]);
  });

  it("says nothing of slots where the key has no limit of them", () => {
    const key = new Machine({ totalCost: 10, queueLength: 1 });
    key.admit(askFor(0, dollars(8)));
    key.admit(askFor(1, dollars(8)));
    const refused = key.admit(askFor(2, dollars(8)));
    expect(refused).toMatchObject({ error: { reason: "queue_full" } });
    expect(JSON.stringify(refused)).not.toContain("0 requests");
  });

  it("gives a request that asks twice one place", () => {
    const key = new Machine({ concurrency: 1, queueLength: 3, totalCost: 10 });
    key.admit(askFor(0, dollars(1)));
    expect([key.try(askFor(1, dollars(1))), key.try(askFor(1, dollars(1)))]).toEqual(["waiting", "waiting"]);
    expect(key.state.queue.waiters).toHaveLength(1);
    key.settle(0, 0);
    key.wake();
    key.settle(1, 0);
    key.wake();
    expect(key.state.reserved).toEqual(spending.NOTHING);
  });

  it("serves more at once when the key gets more slots", () => {
    const key = new Machine({ concurrency: 1, queueLength: 3 });
    for (const number of [0, 1, 2, 3]) key.admit(ask(number));
    key.configure({ concurrency: 3 });
    expect(key.wake()).toEqual([
      [1, "admitted"],
      [2, "admitted"],
    ]);
  });
});

describe("a hard budget", () => {
  it("admits a request that may cost more than is left, with an allowance of what is", () => {
    const key = new Machine({ dailyCost: 10, hardBudget: true });
    key.admit(askFor(1, dollars(7)));
    expect(key.admit(askFor(2, dollars(7)))).toEqual({ kind: "admitted", allowance: dollars(3) });
    expect(key.try(askFor(3, dollars(7)))).toBe("daily_cost_reserved");
  });

  it("gives allowances at list price", () => {
    const key = new Machine({ dailyCost: 10, hardBudget: true, rates: { claude: 4, gemini: 0 } });
    expect(key.admit(askFor(1, dollars(7)))).toEqual({ kind: "admitted", allowance: dollars(2.5) });
    const free = new Machine({ dailyCost: 10, hardBudget: true, rates: { gemini: 0 } });
    expect(free.admit(askFor(1, dollars(7), { service: "gemini" }))).toEqual({
      kind: "admitted",
      allowance: null,
    });
  });

  it("gives a request that asks twice the same allowance", () => {
    const key = new Machine({ dailyCost: 10, hardBudget: true });
    const first = key.admit(askFor(1, dollars(70)));
    expect(key.admit(askFor(1, dollars(70)))).toEqual(first);
  });

  it("sets no bounds to a key without a budget", () => {
    expect(new Machine({ hardBudget: true }).admit(askFor(1, dollars(7)))).toEqual({
      kind: "admitted",
      allowance: null,
    });
  });
});
