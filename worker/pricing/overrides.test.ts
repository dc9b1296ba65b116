import { describe, expect, it } from "vitest";
import {
  NO_OVERRIDES,
  picoPerToken,
  priceInputSchema,
  type PriceOverride,
} from "../domain/price-override.ts";
import { NO_USAGE } from "../domain/usage.ts";
import { withOverrides } from "./overrides.ts";
import { priceOf } from "./price.ts";
import { PRICE_TABLE } from "./table.ts";

const override = (model: string, input: number): PriceOverride => ({
  model,
  ...priceInputSchema.parse({ input, output: 1, webSearch: 0.5 }),
});
const costOf = (model: string, table = PRICE_TABLE, more = {}) =>
  priceOf(
    { tokens: { ...NO_USAGE, input: 1000 }, model, serviceTier: null, speed: null, ...more },
    Date.parse("2026-10-01"),
    table,
  );

describe("withOverrides", () => {
  it("leaves the list as it is when there are none", () => {
    expect(withOverrides(PRICE_TABLE, { ...NO_OVERRIDES, version: 9 })).toBe(PRICE_TABLE);
  });

  it("prices every name of a model on the list anew", () => {
    const table = withOverrides(PRICE_TABLE, {
      version: 3,
      overrides: [override("claude-sonnet-4-5", 0.25)],
    });
    for (const name of ["claude-sonnet-4-5-20250929", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"]) {
      expect(costOf(name).cost).toBe(3_000_000);
      expect(costOf(name, table)).toEqual({ cost: 250_000, priceVersion: `${PRICE_TABLE.version}+own.3` });
    }
    expect(costOf("claude-opus-4-5", table).cost).toBe(costOf("claude-opus-4-5").cost);
  });

  it("prices a model that the list lacks by its exact name", () => {
    const table = withOverrides(PRICE_TABLE, { version: 1, overrides: [override("my-own/model", 2)] });
    expect(costOf("My-Own/Model", table).cost).toBe(2_000_000);
    expect(costOf("my-own/model-2", table).priceVersion).toBeNull();
  });

  it("is final: no surcharge and no discount of the list applies to it", () => {
    const table = withOverrides(PRICE_TABLE, { version: 1, overrides: [override("claude-sonnet-4-5", 1)] });
    expect(costOf("claude-sonnet-4-5", table, { serviceTier: "batch", speed: "fast" }).cost).toBe(1_000_000);
    const searched = { tokens: { ...NO_USAGE, webSearches: 2 } };
    expect(costOf("claude-sonnet-4-5", table, searched).cost).toBe(1_000_000_000);
  });

  it("makes one table of the same overrides, so that names looked up are remembered", () => {
    const own = { version: 1, overrides: [override("a", 1)] };
    expect(withOverrides(PRICE_TABLE, own)).toBe(withOverrides(PRICE_TABLE, own));
  });
});

describe("priceInputSchema", () => {
  it.each([0, 0.000001, 0.1, 3.75, 9999.999999])("takes %d dollars a million, exactly", (dollars) => {
    const { input } = priceInputSchema.parse({ input: dollars, output: 1 });
    expect(picoPerToken(input)).toBe(Number(dollars.toFixed(6).replace(".", "")));
  });

  it.each([-1, 10_001, 0.0000001, Number.NaN, Infinity, "3"])("refuses %s", (input) => {
    expect(priceInputSchema.safeParse({ input, output: 1 }).success).toBe(false);
  });

  it("takes the price of input for what is not given", () => {
    expect(priceInputSchema.parse({ input: 2, output: 4, cacheRead: 0.5 })).toEqual({
      input: 2,
      output: 4,
      cacheWrite5m: 2,
      cacheWrite1h: 2,
      cacheRead: 0.5,
      webSearch: 0,
    });
  });
});
