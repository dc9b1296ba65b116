import { describe, expect, it } from "vitest";
import { formatDistance, formatDuration, formatMoney } from "./format";

describe("formatMoney", () => {
  it.each([
    [0, "$0.00"],
    [1, "<$0.000001"],
    [43_212, "$0.000043"],
    [5_000_000, "$0.005"],
    [43_200_000, "$0.0432"],
    [500_000_000, "$0.50"],
    [1_234_567_000_000, "$1,234.57"],
  ])("shows %i nano-dollars as %s", (nano, text) => {
    expect(formatMoney(nano)).toBe(text);
  });
});

describe("formatDuration", () => {
  it.each([
    [812, "812 ms"],
    [59_949, "59.9 s"],
    [61_000, "1 min 1 s"],
    [7_260_000, "2 h 1 min"],
  ])("shows %i ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe("formatDistance", () => {
  it("tells the future from the past", () => {
    const now = Date.UTC(2030, 0, 1);
    expect(formatDistance(now + 37 * 60_000, now)).toBe("in 37 min");
    expect(formatDistance(now - 3 * 3_600_000, now)).toBe("3 h ago");
    expect(formatDistance(now, now)).toBe("now");
  });
});
