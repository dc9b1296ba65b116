import { describe, expect, it } from "vitest";
import type { LimitStatus } from "./domain";
import { limitShown } from "./limit";

const dailyBudget = (change: Partial<LimitStatus> = {}): LimitStatus => ({
  id: "daily_cost",
  unit: "cost",
  limit: 5_000_000_000,
  used: 1_000_000_000,
  reserved: 0,
  resetAt: Date.UTC(2030, 0, 2),
  ...change,
});

describe("limitShown", () => {
  it("shows budgets in dollars", () => {
    const shown = limitShown(dailyBudget({ reserved: 500_000_000 }));
    expect(shown).toMatchObject({ name: "Daily budget", used: "$1.00", reserved: "$0.50", limit: "$5.00" });
  });

  it("shows requests and tokens as counts", () => {
    const shown = limitShown(
      dailyBudget({ id: "window_tokens", unit: "tokens", limit: 1_000_000, used: 1500 }),
    );
    expect(shown).toMatchObject({ name: "Tokens in the window", used: "1,500", limit: "1,000,000" });
  });

  it("does not mention a reserve where nothing runs", () => {
    expect(limitShown(dailyBudget()).reserved).toBeNull();
  });

  it.each([
    [0.79, "good"],
    [0.8, "warn"],
    [1, "bad"],
    [1.2, "bad"],
  ])("at %d of the limit is %s", (part, tone) => {
    expect(limitShown(dailyBudget({ used: part * 5_000_000_000 })).tone).toBe(tone);
  });

  it("never draws more than the whole, however much is used and held", () => {
    const { usedPart, reservedPart } = limitShown(
      dailyBudget({ used: 4_000_000_000, reserved: 9_000_000_000 }),
    );
    expect(usedPart + reservedPart).toBe(1);
    expect(limitShown(dailyBudget({ used: 9_000_000_000, reserved: 1 }))).toMatchObject({
      usedPart: 1,
      reservedPart: 0,
    });
  });
});
