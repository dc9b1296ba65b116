import { describe, expect, it } from "vitest";
import type { LimitWindow } from "./domain";
import { windowShown } from "./limit-window";

const NOW = Date.UTC(2030, 0, 1);

const fiveHours = (change: Partial<LimitWindow> = {}): LimitWindow => ({
  id: "5h",
  status: "allowed",
  utilization: 0.42,
  resetAt: NOW + 60_000,
  ...change,
});

describe("windowShown", () => {
  it.each([
    ["5h", "5 hours"],
    ["7d", "7 days"],
    ["7d_opus", "7 days, opus"],
    ["overage", "overage"],
  ])("names %s as %s", (id, name) => {
    expect(windowShown(fiveHours({ id }), NOW).name).toBe(name);
  });

  it("shows the share as a percentage and as a part of the bar", () => {
    expect(windowShown(fiveHours(), NOW)).toMatchObject({ used: "42%", usedPart: 0.42, tone: "good" });
  });

  it.each([
    ["allowed", "good", "Allowed"],
    ["warning", "warn", "Nearly used up"],
    ["rejected", "bad", "Used up"],
  ] as const)("calls what is %s %s", (status, tone, label) => {
    expect(windowShown(fiveHours({ status }), NOW).state).toEqual({ tone, label });
  });

  it.each([
    [0.79, "good"],
    [0.8, "warn"],
    [1, "bad"],
  ])("at %d of the limit is %s", (utilization, tone) => {
    expect(windowShown(fiveHours({ utilization }), NOW).tone).toBe(tone);
  });

  it("makes nothing up where the upstream did not say", () => {
    const shown = windowShown(fiveHours({ status: null, utilization: null, resetAt: null }), NOW);
    expect(shown).toMatchObject({ state: null, used: null, usedPart: 0 });
  });

  it("does not hold a window against the account that has ended since", () => {
    const shown = windowShown(fiveHours({ status: "rejected", utilization: 1, resetAt: NOW }), NOW);
    expect(shown).toMatchObject({ state: { label: "Over", tone: "quiet" }, tone: "good" });
  });
});
