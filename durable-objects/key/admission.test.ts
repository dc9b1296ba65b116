import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeyConfig } from "../../worker/domain/key.ts";
import {
  ask,
  askFor,
  config,
  DAY_MS,
  DEPLOYMENT,
  dollars,
  ended,
  HOUR_MS,
  NOW,
  requestId,
} from "./__fixtures__/builders.ts";
import { admit, cancel, wake, type Admission } from "./admission.ts";
import * as limits from "./limits.ts";
import { checkpoint, extend, settle, sweep } from "./permits.ts";
import { configure, emptyState, rolled, type KeyState } from "./state.ts";

const OPUS = "claude-opus-4-5";
const fresh = (overrides: Partial<KeyConfig> = {}) => emptyState(config(overrides));

/** A key's machine with its clock: what a test does to it changes it. */
class Machine {
  state: KeyState;
  now = NOW;

  constructor(overrides: Partial<KeyConfig> = {}) {
    this.state = fresh(overrides);
  }

  admit(request: Parameters<typeof admit>[1]): Admission {
    const { state, decision } = admit(this.state, request, DEPLOYMENT, this.now);
    this.state = state;
    return decision;
  }

  /** What an admission comes to in a word: `admitted`, `waiting`, or the reason of the refusal. */
  try(request: Parameters<typeof admit>[1]): string {
    const decision = this.admit(request);
    return decision.kind === "refused" ? (decision.error.reason ?? decision.error.code) : decision.kind;
  }

  settle(number: number, cost: number, overrides: Partial<Parameters<typeof settle>[1]> = {}): void {
    this.state = settle(this.state, ended(number, { cost, ...overrides }), DEPLOYMENT, this.now);
  }

  wake() {
    const { state, decision } = wake(this.state, DEPLOYMENT, this.now);
    this.state = state;
    return decision.map(({ requestId: id, admission }) => [
      Number(id.slice(4)),
      admission.kind === "refused" ? admission.error.reason : admission.kind,
    ]);
  }

  configure(overrides: Partial<KeyConfig>): void {
    this.state = configure(this.state, { ...this.state.config, ...overrides }, DEPLOYMENT, this.now);
  }
}

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
    expect(key.state.reserved).toEqual(limits.NOTHING);
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
    expect(key.state.reserved).toEqual(limits.NOTHING);
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

const amount = fc.integer({ min: 0, max: 40 });
const id = fc.integer({ min: 0, max: 12 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("admit" as const),
      id,
      tokens: amount,
      cost: amount,
      premium: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("settle" as const), id, tokens: amount, cost: amount }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("extend" as const), id, cost: amount }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("checkpoint" as const), id }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      ms: fc.constantFrom(1, 20_000, HOUR_MS, DAY_MS),
    }),
  },
);
type Doing = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

const nano = (most: number) =>
  fc.constantFrom(0, ...[1, 2, 3].map((part) => Math.ceil((most * part) / 3) / 1e9));
const keys = fc.record({
  concurrency: fc.constantFrom(0, 2, 4),
  queueLength: fc.constantFrom(0, 3),
  windowMinutes: fc.constantFrom(0, 60),
  windowRequests: fc.constantFrom(0, 5),
  windowTokens: fc.constantFrom(0, 60),
  windowCost: nano(90),
  dailyCost: nano(90),
  weeklyCost: nano(150),
  weeklyPremiumCost: nano(60),
  totalCost: nano(240),
  rates: fc.constantFrom({}, { claude: 1.5 }, { claude: 0.3 }),
});

const limitsOf = (state: KeyState) => limits.limitsOf(state.tallies, state.reserved, state.config);

/** Runs one step; `settled` remembers which requests are over, since each ends once. */
function perform(key: Machine, each: Doing, over: Set<number>): void {
  switch (each.do) {
    case "admit":
      if (over.has(each.id)) break;
      key.admit(ask(each.id, { estimate: each, model: each.premium ? OPUS : "claude-sonnet-4-5" }));
      break;
    case "settle": {
      const held = key.state.permits.get(requestId(each.id));
      if (held === undefined) break;
      over.add(each.id);
      const { requestedModel: model } = held.draft;
      key.state = settle(key.state, ended(each.id, { ...each, model }), DEPLOYMENT, key.now);
      break;
    }
    case "extend":
      key.state = extend(key.state, requestId(each.id), each.cost, {
        deployment: DEPLOYMENT,
        now: key.now,
      }).state;
      break;
    case "cancel":
      key.state = cancel(key.state, requestId(each.id));
      break;
    case "checkpoint": {
      const held = key.state.permits.get(requestId(each.id));
      if (held !== undefined) key.state = checkpoint(key.state, [held.draft], key.now);
      break;
    }
    case "pass": {
      key.now += each.ms;
      const { state, decision } = sweep(key.state, DEPLOYMENT, key.now);
      for (const lost of decision) over.add(Number(lost.requestId.slice(4)));
      key.state = state;
      break;
    }
  }
}

describe("any history of a key with limits", () => {
  const history = fc.array(step, { maxLength: 60 });

  const holdsBackTheSum = (state: KeyState) => {
    const sum = [...state.permits.values()].reduce(
      (total, { reserved }) => limits.add(total, reserved),
      limits.NOTHING,
    );
    expect(state.reserved).toEqual(sum);
    const { requests, tokens, cost, premiumCost } = state.reserved;
    expect(Math.min(requests, tokens, cost, premiumCost)).toBeGreaterThanOrEqual(0);
  };

  it.each([false, true])("holds back the sum of what its permits reserve (hard budget: %s)", (hardBudget) => {
    fc.assert(
      fc.property(keys, history, (options, steps) => {
        const key = new Machine({ ...options, hardBudget });
        const over = new Set<number>();
        for (const each of steps) {
          perform(key, each, over);
          holdsBackTheSum(key.state);
          key.wake();
          holdsBackTheSum(key.state);
          if (options.concurrency > 0)
            expect(key.state.permits.size).toBeLessThanOrEqual(options.concurrency);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("never admits more than fits into every limit", () => {
    fc.assert(
      fc.property(keys, history, (options, steps) => {
        const key = new Machine(options);
        const over = new Set<number>();
        const fits = (before: KeyState) => {
          if (key.state.permits.size <= before.permits.size) return;
          for (const { id: limitId, used, reserved, limit } of limitsOf(key.state)) {
            // A request that is not premium is none of the premium budget's business, even if that is overspent.
            const isAsked =
              limitId !== "weekly_premium_cost" ||
              key.state.reserved.premiumCost > before.reserved.premiumCost;
            if (isAsked) expect(used + reserved).toBeLessThanOrEqual(limit);
          }
        };
        // A stream may be extended only where budgets are hard.
        for (const each of steps.filter((one) => one.do !== "extend")) {
          const before = key.state;
          perform(key, each, over);
          fits(before);
          const unwoken = key.state;
          key.wake();
          fits(unwoken);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("with a hard budget never allows running requests more than is left in all", () => {
    fc.assert(
      fc.property(keys, history, (options, steps) => {
        const key = new Machine({ ...options, hardBudget: true });
        const over = new Set<number>();
        for (const each of steps) {
          // A stream that keeps to its allowance costs no more than what was held back for it.
          if (each.do === "settle") {
            const held = key.state.permits.get(requestId(each.id))?.reserved.cost ?? 0;
            const cost = Math.min(each.cost, Math.floor(held / limits.rateOf(key.state.config, "claude")));
            perform(key, { ...each, cost }, over);
          } else perform(key, each, over);
          key.wake();
          const now = rolled(key.state, DEPLOYMENT, key.now);
          for (const { unit, used, reserved, limit } of limitsOf(now))
            if (unit === "cost") expect(used + reserved).toBeLessThanOrEqual(limit);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
