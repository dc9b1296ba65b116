import { describe, expect, it } from "vitest";
import { reminder, stageAt, type Ending } from "./expiry.ts";

const NOW = Date.UTC(2030, 2, 13, 12);
const DAY = 86_400_000;

const ending = (kind: Ending["kind"], days: number): Ending => ({
  kind,
  id: "acc_00000001",
  name: "Team",
  expiresAt: NOW + days * DAY,
});

describe("stageAt", () => {
  it.each([
    ["account", 7.1, null],
    ["account", 7, "7d"],
    ["account", 1.1, "7d"],
    ["account", 1, "1d"],
    ["account", 0.01, "1d"],
    ["account", 0, "ended"],
    ["account", -30, "ended"],
    ["key", 3.1, null],
    ["key", 3, "3d"],
    ["key", 1, "1d"],
    ["key", 0, null],
  ] as const)("of %s that ends in %d days is %s", (kind, days, stage) => {
    expect(stageAt(ending(kind, days), NOW)).toBe(stage);
  });
});

describe("reminder", () => {
  it("names what ends, when, and what to do", () => {
    const { notice } = reminder(ending("account", 7), "7d", NOW);
    expect(notice).toMatchObject({
      kind: "account_expiring",
      severity: "warning",
      title: 'Account "Team" expires soon',
      subject: { kind: "account", id: "acc_00000001", name: "Team" },
    });
    expect(notice.lines[0]).toBe("It ends on 2030-03-20 12:00 UTC.");
    expect(reminder(ending("account", 0), "ended", NOW).notice.kind).toBe("account_expired");
    expect(reminder(ending("key", 1), "1d", NOW).notice.kind).toBe("key_expiring");
  });
});
