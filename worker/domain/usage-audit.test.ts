import { describe, expect, it } from "vitest";
import { compareSums, type AuditRow } from "./usage-audit.ts";

const row = (period: string, sums: Record<string, number>, more: Partial<AuditRow> = {}): AuditRow => ({
  period,
  keyId: "k",
  accountId: "a",
  model: "m",
  protocol: "anthropic",
  provider: "p",
  sums,
  ...more,
});

describe("compareSums", () => {
  it("finds nothing where both sides are the same in any order", () => {
    const rows = [row("1", { cost: 1 }), row("2", { cost: 2 })];
    expect(compareSums("day", rows, rows.toReversed())).toEqual({ groups: 2, discrepancies: [] });
  });

  it("names each sum that differs", () => {
    const { discrepancies } = compareSums(
      "day",
      [row("1", { cost: 1, input: 5 })],
      [row("1", { cost: 2, input: 5 })],
    );
    expect(discrepancies).toMatchObject([
      { step: "day", period: "1", column: "cost", booked: 1, counted: 2 },
    ]);
  });

  it("finds groups that only one side has, and takes none for another", () => {
    const { groups, discrepancies } = compareSums(
      "hour",
      [row("1", { requests: 1 }, { keyId: "a,b", accountId: "c" })],
      [row("1", { requests: 1 }, { keyId: "a", accountId: "b,c" })],
    );
    expect(groups).toBe(2);
    expect(discrepancies.map(({ booked, counted }) => [booked, counted])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});
