/** What holds in every history of a key with limits, whatever comes when. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ask, DAY_MS, DEPLOYMENT, ended, HOUR_MS, requestId } from "./__fixtures__/builders.ts";
import { Machine } from "./__fixtures__/machine.ts";
import { cancel } from "./admission.ts";
import * as limits from "./limits.ts";
import * as spending from "./spending.ts";
import { checkpoint, extend, settle, sweep } from "./permits.ts";
import { rolled, type KeyState } from "./state.ts";

const OPUS = "claude-opus-4-5";

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
      (total, { reserved }) => spending.add(total, reserved),
      spending.NOTHING,
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
            const cost = Math.min(each.cost, Math.floor(held / spending.rateOf(key.state.config, "claude")));
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
