import { describe, expect, it } from "vitest";
import { NO_USAGE } from "./usage.ts";
import { totalsOf } from "./usage-sum.ts";

const counts = { requests: 1, failed: 0, unpriced: 0, cost: 5 };

describe("totalsOf", () => {
  it("takes cache writes for input that was not in the cache", () => {
    const tokens = { ...NO_USAGE, input: 10, cacheWrite5m: 20, cacheWrite1h: 30, cacheRead: 40, output: 900 };
    expect(totalsOf({ ...counts, tokens })).toMatchObject({ totalTokens: 1000, cacheHitShare: 0.4 });
  });

  it("has no share of nothing", () => {
    expect(totalsOf({ ...counts, tokens: { ...NO_USAGE, output: 3 } }).cacheHitShare).toBeNull();
  });
});
