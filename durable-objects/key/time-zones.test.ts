import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { config, DAY_MS, DEPLOYMENT, dollars, HOUR_MS, NOW } from "./__fixtures__/builders.ts";
import { charge, current, EMPTY_TALLIES, NOTHING, spend, type Tallies } from "./spending.ts";
import { configure, emptyState, rolled } from "./state.ts";

const KEY = config({ windowMinutes: 90 });
const ZONES = [
  "UTC",
  "Asia/Tokyo",
  "America/Los_Angeles",
  "Europe/Berlin",
  "Pacific/Kiritimati",
  "Pacific/Niue",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
] as const;

const PERIODS = ["window", "day", "week"] as const;
const LENGTH_MS = { window: 90 * 60_000, day: DAY_MS, week: 7 * DAY_MS } as const;
/** Clocks are changed by two hours at most. */
const CLOCK_CHANGE_MS = 2 * HOUR_MS;

describe("a change of the time zone", () => {
  it("B8 ends no period early, and gives no budget twice within half a period", () => {
    const step = fc.record({
      zone: fc.constantFrom(...ZONES),
      afterMs: fc.integer({ min: 1, max: 30 * HOUR_MS }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 30 }), (steps) => {
        let tallies: Tallies = EMPTY_TALLIES;
        let now = NOW;
        for (const { zone, afterMs } of steps) {
          now += afterMs;
          const before = tallies;
          tallies = spend(current(tallies, KEY, zone, now), { ...NOTHING, cost: 1 }, KEY, now);
          for (const period of PERIODS) {
            const [was, is] = [before[period], tallies[period]];
            if (is === null) throw new Error("there is a period");
            expect(is.start).toBeLessThanOrEqual(now);
            expect(is.end).toBeGreaterThan(now);
            if (was === null) continue;
            if (now < was.end)
              expect({ start: is.start, end: is.end }).toEqual({ start: was.start, end: was.end });
            else {
              expect(is.spent.cost).toBe(1);
              expect(is.start).toBeGreaterThanOrEqual(was.end);
              expect(is.end - is.start).toBeGreaterThanOrEqual(LENGTH_MS[period] / 2 - CLOCK_CHANGE_MS);
              expect(is.end - is.start).toBeLessThanOrEqual(1.5 * LENGTH_MS[period] + CLOCK_CHANGE_MS);
            }
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("B8 lets the running day end when it was to end, and the next with the new zone's", () => {
    const before = current(EMPTY_TALLIES, KEY, "UTC", NOW);
    const midnight = NOW + 12 * HOUR_MS;
    expect(current(before, KEY, "Asia/Tokyo", midnight - 1).day).toBe(before.day);
    // Tokyo's midnight is nine hours before, so this day begins when the last one ended.
    expect(current(before, KEY, "Asia/Tokyo", midnight).day).toMatchObject({
      start: midnight,
      end: midnight + 15 * HOUR_MS,
    });
    // In Berlin only an hour less is left.
    expect(current(before, KEY, "Europe/Berlin", midnight).day?.end).toBe(midnight + 23 * HOUR_MS);
    // In Los Angeles seven hours would be left (its clocks are seven behind): they go to the next day.
    expect(current(before, KEY, "America/Los_Angeles", midnight).day?.end).toBe(midnight + 31 * HOUR_MS);
  });

  it("B8 is no reason to cut a week short when the key is changed for another reason", () => {
    const berlin = { ...DEPLOYMENT, timeZone: "Europe/Berlin" };
    const state = rolled(emptyState(KEY), DEPLOYMENT, NOW);
    expect(configure(state, config({ name: "other" }), berlin, NOW).tallies.week).toBe(state.tallies.week);
    const moved = configure(state, config({ weekStartDay: 3 }), berlin, NOW).tallies.week;
    expect(moved?.end).not.toBe(state.tallies.week?.end);
  });
});

describe("the deployment's rates", () => {
  const use = { tokens: 10, cost: dollars(1), model: "claude-sonnet-4-5", service: "claude" as const };

  it("are multiplied with the key's own", () => {
    const key = config({ rates: { claude: 1.5 } });
    expect(charge(key, use, 0, { claude: 2 }).cost).toBe(dollars(3));
    expect(charge(key, use, 0, { openai: 2 }).cost).toBe(dollars(1.5));
    expect(charge(config(), use, 0, { claude: 0 }).cost).toBe(0);
  });

  it("hold from the next change of a key's state on", () => {
    const state = rolled(emptyState(config()), { ...DEPLOYMENT, rates: { claude: 2 } }, NOW);
    expect(state.multipliers).toEqual({ claude: 2 });
    expect(rolled(state, DEPLOYMENT, NOW).multipliers).toEqual({});
  });
});
