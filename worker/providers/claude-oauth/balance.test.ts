import { describe, expect, it } from "vitest";
import { readUsage } from "./balance.ts";

describe("readUsage", () => {
  it("reads the windows that are there", () => {
    const answer = {
      five_hour: { utilization: 8, resets_at: "2026-03-09T11:00:00+00:00" },
      seven_day: { utilization: 131, resets_at: null },
      seven_day_opus: null,
      iguana: { utilization: 1 },
    };
    expect(readUsage(JSON.stringify(answer))).toEqual({
      amounts: [],
      windows: [
        { id: "5h", utilization: 0.08, resetAt: Date.UTC(2026, 2, 9, 11) },
        { id: "7d", utilization: 1, resetAt: null },
      ],
    });
  });

  it.each(["", "null", "[]", "<html>", '{"five_hour":7}'])("makes nothing of %j", (text) => {
    expect(readUsage(text)).toBeNull();
  });
});
