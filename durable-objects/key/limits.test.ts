import { describe, expect, it } from "vitest";
import type { KeyConfig } from "../../worker/domain/key.ts";
import { config, DAY_MS, dollars, HOUR_MS, NOW } from "./__fixtures__/builders.ts";
import { limitsOf, roomFor } from "./limits.ts";
import { charge, current, EMPTY_TALLIES, NOTHING, rescheduled, spend, type Spending } from "./spending.ts";

const spending = (overrides: Partial<Spending>): Spending => ({ ...NOTHING, ...overrides });
const cost = (amount: number) => spending({ cost: dollars(amount) });
const USE = { tokens: 10, cost: 1000, model: "claude-sonnet-4-5", service: "claude" } as const;

/** The tallies of a key that spent this at `NOW`. */
const after = (spent: Spending, key: KeyConfig, now = NOW) =>
  spend(current(EMPTY_TALLIES, key, "UTC", now), spent, key, now);

const room = (key: KeyConfig, spent: Spending, wanted: Spending, reserved = NOTHING) =>
  roomFor(limitsOf(after(spent, key), reserved, key), wanted, key.hardBudget, NOW);

const refusal = (...args: Parameters<typeof room>) => {
  const answer = room(...args);
  return answer.kind === "free" ? null : { kind: answer.kind, ...answer.error };
};

describe("charge", () => {
  it("counts tokens as they are and money at the service's rate, rounded to whole nano-dollars", () => {
    const key = config({ rates: { claude: 1.5, gemini: 0 } });
    expect(charge(key, { ...USE, cost: 1001 }, 1)).toEqual({
      requests: 1,
      tokens: 10,
      cost: 1502,
      premiumCost: 0,
    });
    expect(charge(key, { ...USE, service: "gemini" }, 0).cost).toBe(0);
    expect(charge(key, { ...USE, service: "openai" }, 0).cost).toBe(1000);
  });

  it("tells premium models apart by the key's own patterns", () => {
    const opus = { ...USE, model: "claude-opus-4-5" };
    expect(charge(config(), opus, 0).premiumCost).toBe(1000);
    expect(charge(config(), USE, 0).premiumCost).toBe(0);
    expect(charge(config({ premiumModels: ["*sonnet*"] }), opus, 0).premiumCost).toBe(0);
    expect(charge(config({ premiumModels: ["*sonnet*"] }), USE, 0).premiumCost).toBe(1000);
  });
});

describe("current", () => {
  const key = config({ windowMinutes: 60 });
  const spent = after(cost(1), key);

  it("changes nothing while every period runs", () => {
    expect(current(spent, key, "UTC", NOW + HOUR_MS - 1)).toBe(spent);
  });

  it("closes the window at its end, and only the window", () => {
    const later = current(spent, key, "UTC", NOW + HOUR_MS);
    expect(later).toEqual({ ...spent, window: null });
  });

  it("begins the day anew at midnight, and keeps the week and the total", () => {
    const midnight = Date.UTC(2030, 2, 14);
    const later = current(spent, key, "UTC", midnight);
    expect(later.day).toEqual({ start: midnight, end: midnight + DAY_MS, spent: NOTHING });
    expect(later.week?.spent.cost).toBe(dollars(1));
    expect(later.total.cost).toBe(dollars(1));
  });

  it("begins the week anew at the key's own day and hour", () => {
    const fridays = config({ weekStartDay: 5, weekStartHour: 9 });
    const before = after(cost(1), fridays);
    const friday = Date.UTC(2030, 2, 15, 9);
    expect(current(before, fridays, "UTC", friday - 1).week?.spent.cost).toBe(dollars(1));
    expect(current(before, fridays, "UTC", friday).week).toEqual({
      start: friday,
      end: friday + 7 * DAY_MS,
      spent: NOTHING,
    });
  });

  it("takes midnight from the deployment's time zone", () => {
    const midnight = Date.UTC(2030, 2, 13, 18, 15);
    expect(current(EMPTY_TALLIES, key, "Asia/Kathmandu", midnight - 1).day?.end).toBe(midnight);
    expect(current(EMPTY_TALLIES, key, "Asia/Kathmandu", midnight).day?.start).toBe(midnight);
  });
});

describe("rescheduled", () => {
  it("keeps what was spent when weeks begin at another time, or windows take another time", () => {
    const spent = after(cost(1), config({ windowMinutes: 60 }));
    const changed = config({ weekStartDay: 3, weekStartHour: 0, windowMinutes: 120 });
    const { week, window } = rescheduled(spent, changed, "UTC", NOW);
    const wednesday = Date.UTC(2030, 2, 13);
    expect(week).toEqual({ start: wednesday, end: wednesday + 7 * DAY_MS, spent: cost(1) });
    expect(window).toEqual({ start: NOW, end: NOW + 2 * HOUR_MS, spent: cost(1) });
  });
});

describe("spend", () => {
  it("opens a window where none is open, and goes on in it", () => {
    const key = config({ windowMinutes: 60 });
    const once = after(cost(1), key);
    expect(once.window).toEqual({ start: NOW, end: NOW + HOUR_MS, spent: cost(1) });
    const twice = spend(once, cost(2), key, NOW + 1000);
    expect(twice.window).toEqual({ start: NOW, end: NOW + HOUR_MS, spent: cost(3) });
  });

  it("opens no window for a key without windows", () => {
    expect(after(cost(1), config()).window).toBeNull();
  });
});

describe("limitsOf", () => {
  it("lists the limits that the key has, and no others", () => {
    const ids = (overrides: Partial<KeyConfig>) =>
      limitsOf(EMPTY_TALLIES, NOTHING, config(overrides)).map(({ id }) => id);
    expect(ids({})).toEqual([]);
    expect(ids({ windowRequests: 5, windowTokens: 5, windowCost: 5 })).toEqual([]);
    expect(
      ids({
        windowMinutes: 60,
        windowRequests: 5,
        windowTokens: 5,
        windowCost: 5,
        dailyCost: 1,
        weeklyCost: 1,
        weeklyPremiumCost: 1,
        totalCost: 1,
      }),
    ).toEqual([
      "total_cost",
      "weekly_premium_cost",
      "weekly_cost",
      "daily_cost",
      "window_requests",
      "window_tokens",
      "window_cost",
    ]);
  });
});

describe("roomFor", () => {
  const daily = config({ dailyCost: 5 });

  it("is free up to the last nano-dollar, and says what is left of the tightest budget", () => {
    expect(room(daily, cost(4), cost(1))).toEqual({ kind: "free", left: dollars(1) });
    expect(room(config({ dailyCost: 5, totalCost: 4.5 }), cost(4), cost(0.5))).toEqual({
      kind: "free",
      left: dollars(0.5),
    });
    expect(room(config(), cost(4), cost(1))).toEqual({ kind: "free", left: null });
  });

  it.each([
    [{ totalCost: 5 }, "budget_exhausted", "total_cost", null],
    [{ weeklyCost: 5 }, "budget_exhausted", "weekly_cost", Date.UTC(2030, 2, 18) - NOW],
    [{ dailyCost: 5 }, "budget_exhausted", "daily_cost", 12 * HOUR_MS],
    [{ windowMinutes: 60, windowCost: 5 }, "rate_limited", "window_cost", HOUR_MS],
  ] as const)("is exhausted when %j is spent", (limit, code, reason, retryAfterMs) => {
    expect(refusal(config(limit), cost(5), cost(0))).toMatchObject({
      kind: "exhausted",
      code,
      reason,
      retryAfterMs,
    });
  });

  it("counts requests and tokens in the window", () => {
    const key = config({ windowMinutes: 60, windowRequests: 2, windowTokens: 100 });
    const wanted = spending({ requests: 1, tokens: 40 });
    expect(refusal(key, spending({ requests: 1, tokens: 60 }), wanted)).toBeNull();
    expect(refusal(key, spending({ requests: 2 }), wanted)?.reason).toBe("window_requests");
    expect(refusal(key, spending({ tokens: 61 }), wanted)?.reason).toBe("window_tokens");
  });

  it("is exhausted when less is left than the request may need, whoever else is running", () => {
    expect(refusal(daily, cost(4.5), cost(1))).toMatchObject({ kind: "exhausted", reason: "daily_cost" });
  });

  it("is reserved when only running requests stand in the way", () => {
    expect(refusal(daily, cost(1), cost(1), cost(3.5))).toMatchObject({
      kind: "reserved",
      code: "rate_limited",
      reason: "daily_cost_reserved",
      retryAfterMs: 5000,
    });
  });

  it("tells of what no wait can mend before what comes back by itself", () => {
    const key = config({ totalCost: 10, dailyCost: 5 });
    expect(refusal(key, cost(4.5), cost(1), cost(5))?.reason).toBe("daily_cost");
  });

  it("asks the premium budget of premium models alone", () => {
    const key = config({ weeklyPremiumCost: 1 });
    const spent = spending({ cost: dollars(1), premiumCost: dollars(1) });
    expect(refusal(key, spent, cost(1))).toBeNull();
    expect(refusal(key, spent, spending({ cost: 1, premiumCost: 1 }))?.reason).toBe("weekly_premium_cost");
  });

  it("with a hard budget takes whatever is left of it, and nothing when nothing is", () => {
    const key = config({ dailyCost: 5, hardBudget: true });
    expect(room(key, cost(4), cost(3))).toEqual({ kind: "free", left: dollars(1) });
    expect(room(key, cost(4), cost(3), cost(0.4))).toEqual({ kind: "free", left: dollars(0.6) });
    expect(refusal(key, cost(4), cost(3), cost(1))?.kind).toBe("reserved");
    expect(refusal(key, cost(5), cost(3))?.kind).toBe("exhausted");
  });
});
