import { describe, expect, it } from "vitest";
import { absolve, active, BACK_OFF, blocking, strike, type Failure, type Strikes } from "./cooldowns.ts";

const NOW = 1_900_000_000_000;
const NONE: Strikes = new Map();

const failure = (overrides: Partial<Failure> = {}): Failure => ({
  scope: "account",
  target: null,
  reason: "rate_limited",
  until: null,
  message: "",
  ...overrides,
});

const lengthOf = (strikes: Strikes, now: number) =>
  Math.max(0, ...active(strikes, now).map(({ until }) => until - now));

describe("strike", () => {
  it("takes the upstream's own time where it names one", () => {
    expect(lengthOf(strike(NONE, failure({ until: NOW + 123_000 }), NOW), NOW)).toBe(123_000);
  });

  it("doubles with each failure that follows on the end of the last cooldown, up to a limit", () => {
    let [strikes, now] = [NONE, NOW];
    const lengths: number[] = [];
    for (let turn = 0; turn < 9; turn++) {
      strikes = strike(strikes, failure(), now);
      lengths.push(lengthOf(strikes, now) / 60_000);
      now += lengthOf(strikes, now) + 1000;
    }
    expect(lengths).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it("counts failures of requests that were under way together once", () => {
    const first = strike(NONE, failure({ reason: "network" }), NOW);
    const together = strike(
      strike(first, failure({ reason: "network" }), NOW + 5),
      failure({ reason: "network" }),
      NOW + 9,
    );
    expect(lengthOf(together, NOW)).toBe(BACK_OFF.network.firstMs);
  });

  it("waits for the second server error within a minute", () => {
    const once = strike(NONE, failure({ reason: "server_error" }), NOW);
    expect(active(once, NOW)).toEqual([]);
    expect(
      active(strike(once, failure({ reason: "server_error" }), NOW + 59_000), NOW + 59_000),
    ).toHaveLength(1);
    expect(active(strike(once, failure({ reason: "server_error" }), NOW + 61_000), NOW + 61_000)).toEqual([]);
  });

  it("waits for the third refusal within ten minutes", () => {
    let strikes = NONE;
    for (const minute of [0, 3])
      strikes = strike(strikes, failure({ reason: "forbidden" }), NOW + minute * 60_000);
    expect(active(strikes, NOW + 180_000)).toEqual([]);
    strikes = strike(strikes, failure({ reason: "forbidden" }), NOW + 6 * 60_000);
    expect(lengthOf(strikes, NOW + 6 * 60_000)).toBe(30 * 60_000);
  });
});

describe("blocking", () => {
  const family = strike(NONE, failure({ scope: "modelFamily", target: "opus" }), NOW);
  const model = strike(NONE, failure({ scope: "model", target: "m1", reason: "model" }), NOW);

  it("covers what the failure was about and nothing else", () => {
    expect(blocking(family, "claude-opus-4-5", "opus", NOW)).not.toBeNull();
    expect(blocking(family, "claude-sonnet-4-5", "sonnet", NOW)).toBeNull();
    expect(blocking(model, "m1", null, NOW)).not.toBeNull();
    expect(blocking(model, "m2", null, NOW)).toBeNull();
  });

  it("ends by itself", () => {
    expect(blocking(family, "claude-opus-4-5", "opus", NOW + 60_000)).toBeNull();
  });
});

describe("absolve", () => {
  it("forgets what is over, so that back-off begins anew, and keeps what still runs", () => {
    const strikes = strike(strike(NONE, failure(), NOW), failure({ reason: "payment" }), NOW);
    const later = NOW + 120_000;
    expect(active(absolve(strikes, later), later)).toHaveLength(1);
    expect(lengthOf(strike(absolve(strikes, later), failure(), later), later)).toBeGreaterThanOrEqual(60_000);
    expect(absolve(strikes, later).size).toBe(1);
  });
});
