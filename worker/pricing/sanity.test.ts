import { describe, expect, it } from "vitest";
import { whyRefused } from "./sanity.ts";
import { PRICE_TABLE, type PricedModel, type PriceTable } from "./table.ts";

const MODEL = "claude-opus-4-5";
const changed = (change: (model: PricedModel) => PricedModel, id = MODEL): PriceTable => ({
  version: "new",
  models: PRICE_TABLE.models.map((model) => (model.id === id ? change(model) : model)),
});
const times = (factor: number) =>
  changed((model) => ({
    ...model,
    prices: model.prices.map((price) => ({
      ...price,
      rates: { ...price.rates, output: price.rates.output * factor },
    })),
  }));

describe("whyRefused", () => {
  it("takes the table itself, and one with prices that moved by ten times at most", () => {
    for (const table of [PRICE_TABLE, times(10), times(0.1), times(2)]) {
      expect(whyRefused(table, PRICE_TABLE)).toBeNull();
    }
  });

  it.each([10.1, 0.09, 1000])("names the model whose price moves by ×%s", (factor) => {
    expect(whyRefused(times(factor), PRICE_TABLE)).toMatch(
      /^claude-opus-4-5: the price for output goes from/,
    );
  });

  it("names the model whose price falls to zero", () => {
    expect(whyRefused(times(0), PRICE_TABLE)).toBe("claude-opus-4-5: the price for output falls to zero.");
  });

  it("sees a price of the future that jumps, and one for long contexts", () => {
    const later = changed((model) => {
      const [first, ...rest] = model.prices;
      if (first === undefined) throw new Error("no price");
      const { rates } = first;
      return {
        ...model,
        prices: [first, ...rest, { ...first, from: "2099-01-01", rates: { ...rates, input: 1 } }],
      };
    });
    expect(whyRefused(later, PRICE_TABLE)).toMatch(/input/);
    const long = changed((model) => ({
      ...model,
      prices: model.prices.map((price) => ({
        ...price,
        longContext: { aboveTokens: 1, rates: { ...price.rates, output: price.rates.output * 20 } },
      })),
    }));
    expect(whyRefused(long, PRICE_TABLE)).toMatch(/long context output/);
  });

  it("sees a new entry that takes a known model's name over", () => {
    const [first] = PRICE_TABLE.models;
    if (first === undefined) throw new Error("the table is empty");
    const cheap = first.prices.map((price) => ({
      ...price,
      rates: { input: 1, output: 1, cacheRead: 1, cacheWrite5m: 1, cacheWrite1h: 1 },
    }));
    const thief = { ...first, id: "new", match: { contains: "-" }, prices: cheap };
    const table = { version: "new", models: [thief, ...PRICE_TABLE.models] };
    expect(whyRefused(table, PRICE_TABLE)).toMatch(/: the price for input goes from/);
  });

  it("takes a table that lost half of its models, and none that lost more", () => {
    const { models } = PRICE_TABLE;
    const keeping = (count: number) => ({ version: "new", models: models.slice(0, count) });
    expect(whyRefused(keeping(Math.ceil(models.length / 2)), PRICE_TABLE)).toBeNull();
    expect(whyRefused(keeping(Math.floor(models.length / 2) - 1), PRICE_TABLE)).toMatch(/models are gone/);
    expect(whyRefused(keeping(0), PRICE_TABLE)).toMatch(/models are gone/);
  });

  it.each(["^(a+)+$", "(x|x)*y", ".*.*.*=", "^a{1,1000}$", "[^x]+"])(
    "refuses the expression %s, which could take long",
    (regex) => {
      const table = changed((model) => ({ ...model, match: { or: [model.match, { regex }] } }));
      expect(whyRefused(table, PRICE_TABLE)).toMatch(/expression that could be slow/);
    },
  );

  it.each(["^claude-opus-7-\\d{8}$", "^gpt-5\\.9-\\d{4}-\\d{2}-\\d{2}$", "^composer-2\\.5\\[fast=false\\]$"])(
    "takes %s, as vendors name their dated models",
    (regex) => {
      const table = changed((model) => ({ ...model, match: { or: [model.match, { regex }] } }));
      expect(whyRefused(table, PRICE_TABLE)).toBeNull();
    },
  );
});
