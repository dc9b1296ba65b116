import { describe, expect, it } from "vitest";
import { keyConfigSchema, type KeyConfig, type LimitStatus } from "./key.ts";
import { cardCode, CODE_BYTES, parseCode, redeemed, takenBack, typeOf } from "./quota-card.ts";

const NOW = 1_000_000;
const HOUR_MS = 3_600_000;
const key = (overrides: Partial<KeyConfig>): KeyConfig => ({
  ...keyConfigSchema.parse({ id: "key_00000000", name: "k", hint: "abcdef", createdAt: 0, updatedAt: 0 }),
  ...overrides,
});
const hour = { amount: 1, unit: "hours" } as const;
const spent = (dollars: number): { limits: LimitStatus[] } => ({
  limits: [{ id: "total_cost", unit: "cost", limit: 0, used: dollars * 1e9, reserved: 0, resetAt: null }],
});

describe("cardCode", () => {
  it("gives each of 32 unambiguous characters for as many bytes as any other", () => {
    const seen = new Map<string, number>();
    for (let byte = 0; byte < 256; byte++) {
      const code = cardCode(new Uint8Array(CODE_BYTES).fill(byte));
      expect(parseCode(code)).toBe(code);
      seen.set(code, (seen.get(code) ?? 0) + 1);
    }
    expect(seen.size).toBe(32);
    expect(new Set(seen.values())).toEqual(new Set([8]));
  });
});

describe("parseCode", () => {
  it.each([
    ["CC_ABCD_EFGH_2345", "CC_ABCD_EFGH_2345"],
    ["  cc_abcd_efgh_2345\n", "CC_ABCD_EFGH_2345"],
    ["CC_ABCD_EFGH_234I", null],
    ["CC_ABCD_EFGH_2340", null],
    ["CC_ABCD_EFGH", null],
    ["CC-ABCD-EFGH-2345", null],
    ["CC_ABCD_EFGH_2345_X", null],
    ["", null],
  ])("reads %j as %j", (text, code) => {
    expect(parseCode(text)).toBe(code);
  });
});

describe("redeemed", () => {
  it("adds money without the dust of binary fractions", () => {
    expect(redeemed(key({ totalCost: 0.1 }), null, { cost: 0.2, time: null }, NOW)).toMatchObject({
      totalCost: 0.3,
    });
  });

  it("refuses to limit what is not limited", () => {
    expect(redeemed(key({}), null, { cost: 5, time: null }, NOW)).toMatch(/no total budget/);
    expect(redeemed(key({ totalCost: 1 }), null, { cost: 5, time: hour }, NOW)).toMatch(/does not expire/);
    expect(redeemed(key({ expiresAt: NOW }), null, { cost: 5, time: hour }, NOW)).toMatch(/no total budget/);
    expect(redeemed(key({ totalCost: 1_000_000 }), null, { cost: 5, time: null }, NOW)).toMatch(/too large/);
  });

  it("knows a card's type by what it adds", () => {
    expect(
      [
        { cost: 1, time: null },
        { cost: null, time: hour },
        { cost: 1, time: hour },
      ].map(typeOf),
    ).toEqual(["budget", "time", "both"]);
  });
});

describe("takenBack", () => {
  it.each([
    { what: "all, where nothing of it is used", totalCost: 11, used: 0.5, left: 1, taken: 10 },
    { what: "what is left of it", totalCost: 11, used: 4, left: 4, taken: 7 },
    { what: "nothing of a budget that is overspent", totalCost: 11, used: 12, left: 11, taken: 0 },
    { what: "nothing where there is no budget any more", totalCost: 0, used: 4, left: 0, taken: 0 },
    {
      what: "all but a cent, so that the key stays limited",
      totalCost: 10,
      used: 0,
      left: 0.01,
      taken: 9.99,
    },
  ])("takes $what", ({ totalCost, used, left, taken }) => {
    const back = takenBack(key({ totalCost }), spent(used), { cost: 10, time: null }, NOW);
    expect(back.config.totalCost).toBe(left);
    expect(back.takenBack).toEqual({ cost: taken, timeMs: 0 });
  });

  it.each([
    ["all of the time", NOW + 3 * HOUR_MS, NOW + 2 * HOUR_MS, HOUR_MS],
    ["what is left of it", NOW + 10, NOW, 10],
    ["nothing of a key that has ended", NOW - 10, NOW - 10, 0],
    ["nothing of a key without an end", null, null, 0],
  ])("takes %s", (_, expiresAt, end, timeMs) => {
    const back = takenBack(key({ expiresAt }), spent(0), { cost: null, time: hour }, NOW);
    expect(back.config.expiresAt).toBe(end);
    expect(back.takenBack).toEqual({ cost: 0, timeMs });
  });
});
