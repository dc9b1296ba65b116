import { calcPrice } from "@pydantic/genai-prices";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NANO_PER_DOLLAR } from "../domain/money.ts";
import { NO_USAGE } from "../domain/usage.ts";
import type { TokenUsage } from "../domain/usage.ts";
import { priceOf } from "./price.ts";
import { PRICE_TABLE } from "./table.ts";
import type { PriceTable, TokenRates } from "./table.ts";

const AT = Date.UTC(2026, 9, 1);
/** The most a usage reader lets through for one count, with room to spare. */
const COUNT_MAX = 1_000_000_000;

/** The library tells the tokens of pictures apart by a count of their own. */
const MODELS = PRICE_TABLE.models.filter(({ id }) => !id.includes("image"));
const MODEL_IDS = MODELS.map(({ id }) => id);

const tokens = (counts: Partial<TokenUsage>): TokenUsage => ({ ...NO_USAGE, ...counts });

const cost = (model: string, counts: Partial<TokenUsage>, at = AT): number =>
  priceOf({ tokens: tokens(counts), model, serviceTier: null, speed: null }, at, PRICE_TABLE).cost;

const anyUsage = (countMax: number): fc.Arbitrary<TokenUsage> => {
  const count = fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: countMax }), fc.constant(0));
  return fc.record({
    input: count,
    output: count,
    cacheWrite5m: count,
    cacheWrite1h: count,
    cacheRead: count,
    webSearches: fc.nat(1000),
  });
};
const anyModel = fc.constantFrom(...MODEL_IDS);
const anyTime = fc.oneof(
  fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2027, 11, 31) }),
  fc.constantFrom(Date.UTC(2026, 2, 13) - 1, Date.UTC(2026, 2, 13), Date.UTC(2026, 2, 13) + 1),
);

function tableWith(rates: Partial<TokenRates>): PriceTable {
  const all: TokenRates = { input: 0, output: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, ...rates };
  const price = { from: null, rates: all, longContext: null, webSearchNano: 0 };
  const made = { id: "made-up", provider: "test", name: "Made up", contextWindow: null, deprecated: false };
  const model = {
    ...made,
    match: { equals: "made-up" },
    fastPercent: 100,
    batchPercent: 100,
    prices: [price],
  };
  return { version: "test", models: [model] };
}

const madeUpCost = (counts: Partial<TokenUsage>, rates: Partial<TokenRates>): number => {
  const usage = { tokens: tokens(counts), model: "made-up", serviceTier: null, speed: null };
  return priceOf(usage, AT, tableWith(rates)).cost;
};

describe("priceOf", () => {
  it("charges each kind of token at its own rate", () => {
    const counts = { input: 1000, output: 500, cacheWrite5m: 2000, cacheWrite1h: 300, cacheRead: 10_000 };
    // Opus 4.5 in dollars a million: 5, 25, 6.25, 10 and 0.50; a dollar a million is 1000 nano-dollars a token.
    // 1000 x 5000 + 500 x 25,000 + 2000 x 6250 + 300 x 10,000 + 10,000 x 500
    //   = 5,000,000 + 12,500,000 + 12,500,000 + 3,000,000 + 5,000,000 = 38,000,000 = $0.038
    expect(cost("claude-opus-4-5-20251101", counts)).toBe(38_000_000);
  });

  it("charges a cent for each web search", () => {
    // 3 x $10 / 1000 = $0.03
    expect(cost("claude-haiku-4-5", { webSearches: 3 })).toBe(30_000_000);
  });

  it("keeps the cheaper cache reads of the models that have them", () => {
    // 1,000,000 tokens at $0.20 (Opus 5.5: 0.05 x $4) and at $0.25 (Fable 5.1: 0.025 x $10)
    expect(cost("claude-opus-5-5", { cacheRead: 1_000_000 })).toBe(200_000_000);
    expect(cost("claude-fable-5-1", { cacheRead: 1_000_000 })).toBe(250_000_000);
  });

  it("applies the long-context rates to all tokens once the prompt exceeds the threshold", () => {
    const prompt = { input: 100_000, cacheWrite5m: 50_000, cacheRead: 50_000, output: 1000 };
    // Sonnet 4.5, 200,000 tokens of prompt: 100,000 x 3000 + 50,000 x 3750 + 50,000 x 300 + 1000 x 15,000
    //   = 300,000,000 + 187,500,000 + 15,000,000 + 15,000,000 = 517,500,000
    expect(cost("claude-sonnet-4-5", prompt)).toBe(517_500_000);
    // One token more: 100,001 x 6000 + 50,000 x 7500 + 50,000 x 600 + 1000 x 22,500
    //   = 600,006,000 + 375,000,000 + 30,000,000 + 22,500,000 = 1,027,506,000
    expect(cost("claude-sonnet-4-5", { ...prompt, input: 100_001 })).toBe(1_027_506_000);
  });

  it("knows Google's long prompts and its cheaper cached input", () => {
    const counts = { input: 150_000, cacheRead: 50_000, output: 1000 };
    // Gemini 2.5 Pro, 200,000 tokens of prompt: 150,000 x 1250 + 50,000 x 125 + 1000 x 10,000 = 203,750,000
    expect(cost("gemini-2.5-pro", counts)).toBe(203_750_000);
    // One token more: 150,001 x 2500 + 50,000 x 250 + 1000 x 15,000 = 402,502,500
    expect(cost("gemini-2.5-pro", { ...counts, input: 150_001 })).toBe(402_502_500);
    // Gemini 3.6 Flash doubles on 2027-01-01: 1000 x 750, then 1000 x 1500.
    expect(cost("gemini-3.6-flash", { input: 1000 }, Date.UTC(2027, 0, 1) - 1)).toBe(750_000);
    expect(cost("gemini-3.6-flash", { input: 1000 }, Date.UTC(2027, 0, 1))).toBe(1_500_000);
  });

  it("takes the price that held when the request began", () => {
    const long = { input: 300_000 };
    // Opus 4.6 lost its long-context surcharge on 2026-03-13: 300,000 x 10,000, then 300,000 x 5000.
    expect(cost("claude-opus-4-6", long, Date.UTC(2026, 2, 13) - 1)).toBe(3_000_000_000);
    expect(cost("claude-opus-4-6", long, Date.UTC(2026, 2, 13))).toBe(1_500_000_000);
  });

  it("doubles the tokens of fast answers where fast mode is sold, and not the searches", () => {
    const counts = tokens({ input: 1000, output: 100, cacheRead: 1000, webSearches: 1 });
    const usage = { tokens: counts, serviceTier: "standard", speed: "fast" };
    // Opus 5.5: 1000 x 8000 + 100 x 40,000 + 1000 x 400 + 1 x 10,000,000 = 22,400,000
    expect(priceOf({ ...usage, model: "claude-opus-5-5" }, AT, PRICE_TABLE).cost).toBe(22_400_000);
    // Opus 4.6 runs and bills it as standard: 1000 x 5000 + 100 x 25,000 + 1000 x 500 + 10,000,000 = 18,000,000
    expect(priceOf({ ...usage, model: "claude-opus-4-6" }, AT, PRICE_TABLE).cost).toBe(18_000_000);
  });

  it("halves the tokens of batches, and not the searches", () => {
    const counts = tokens({ input: 1000, output: 100, cacheWrite1h: 10, webSearches: 1 });
    const usage = { tokens: counts, model: "claude-haiku-4-5", serviceTier: "batch", speed: null };
    // 1000 x 500 + 100 x 2500 + 10 x 1000 + 10,000,000 = 10,760,000
    expect(priceOf(usage, AT, PRICE_TABLE).cost).toBe(10_760_000);
  });

  it("charges OpenAI's cached input, long context and flex tier as its price list does", () => {
    // GPT-6 Sol in dollars a million: 2, 10 and 0.20 for cached input; 4, 15 and 0.40 above 272,000 tokens of prompt.
    const counts = { input: 100_000, cacheRead: 172_000, output: 1000 };
    // 100,000 x 2000 + 172,000 x 200 + 1000 x 10,000 = 244,400,000; one token more: 100,001 x 4000 + 172,000 x 400
    //   + 1000 x 15,000 = 483,804,000
    expect(cost("gpt-6-sol-2026-10-01", counts)).toBe(244_400_000);
    expect(cost("gpt-6-sol", { ...counts, input: 100_001 })).toBe(483_804_000);
    const usage = { tokens: tokens(counts), model: "openai/gpt-6-sol", serviceTier: "flex", speed: null };
    expect(priceOf(usage, AT, PRICE_TABLE).cost).toBe(122_200_000);
    expect(priceOf({ ...usage, serviceTier: "priority" }, AT, PRICE_TABLE).cost).toBe(244_400_000);
  });

  it("charges embeddings for their input, and pictures for what they are made of", () => {
    // $0.02 a million, and $32 a million for the output of GPT Image 1.5.
    expect(cost("text-embedding-3-small", { input: 1_000_000 })).toBe(20_000_000);
    expect(cost("gpt-image-1.5", { output: 1_000_000 })).toBe(32_000_000_000);
  });

  it("books any other tier or speed at the standard rates", () => {
    for (const [serviceTier, speed] of [
      ["priority", "standard"],
      ["standard", null],
      ["constructor", "toString"],
    ] as const) {
      const usage = { tokens: tokens({ output: 10 }), model: "claude-opus-5-5", serviceTier, speed };
      expect(priceOf(usage, AT, PRICE_TABLE).cost).toBe(200_000);
    }
  });

  it("names the table it applied", () => {
    const usage = { tokens: NO_USAGE, model: "claude-opus-5", serviceTier: null, speed: null };
    expect(priceOf(usage, AT, PRICE_TABLE)).toEqual({ cost: 0, priceVersion: PRICE_TABLE.version });
    expect(PRICE_TABLE.version).toMatch(/^genai-prices-\d+\.\d+\.\d+\+[0-9a-f]{8}$/);
  });

  it("costs nothing and names no table when the model is unknown", () => {
    const usage = { tokens: tokens({ input: 1_000_000 }), model: "glm-5", serviceTier: null, speed: null };
    expect(priceOf(usage, AT, PRICE_TABLE)).toEqual({ cost: 0, priceVersion: null });
  });

  it("has no price for a model before its first one begins", () => {
    const table = tableWith({ input: 1000 });
    const models = table.models.map((model) => ({
      ...model,
      prices: model.prices.map((price) => ({ ...price, from: "2026-10-02" })),
    }));
    const usage = { tokens: tokens({ input: 5 }), model: "made-up", serviceTier: null, speed: null };
    expect(priceOf(usage, AT, { ...table, models })).toEqual({ cost: 0, priceVersion: null });
  });

  it("rounds half a nano-dollar up", () => {
    expect(madeUpCost({ input: 1 }, { input: 499 })).toBe(0);
    expect(madeUpCost({ input: 1 }, { input: 500 })).toBe(1);
    expect(madeUpCost({ input: 1 }, { input: 1500 })).toBe(2);
  });

  it("rounds once, after adding all kinds of tokens", () => {
    // 400 + 400 pico-dollars are 0.8 nano-dollars; rounded one by one they would vanish.
    expect(madeUpCost({ input: 1, output: 1 }, { input: 400, output: 400 })).toBe(1);
  });

  it("agrees with the library, for any usage of any model at any time", () => {
    fc.assert(
      fc.property(anyModel, anyUsage(400_000), anyTime, (model, counts, at) => {
        const expected = libraryCost(model, counts, at);
        const actual = cost(model, counts, at);
        expect(Number.isSafeInteger(actual)).toBe(true);
        expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 2000 },
    );
  });

  it("gives the exact sum, in safe integers, up to a billion tokens of each kind", () => {
    const atMost = tokens({
      input: COUNT_MAX,
      output: COUNT_MAX,
      cacheWrite5m: COUNT_MAX,
      cacheWrite1h: COUNT_MAX,
      cacheRead: COUNT_MAX,
    });
    for (const model of MODEL_IDS) {
      const usage = { tokens: atMost, model, serviceTier: null, speed: "fast" };
      expect(Number.isSafeInteger(priceOf(usage, AT, PRICE_TABLE).cost)).toBe(true);
    }
    const anyRate = fc.nat(150_000_000);
    const anyRates = fc.record({
      input: anyRate,
      output: anyRate,
      cacheWrite5m: anyRate,
      cacheWrite1h: anyRate,
      cacheRead: anyRate,
    });
    fc.assert(
      fc.property(anyUsage(COUNT_MAX), anyRates, (counts, rates) => {
        expect(BigInt(madeUpCost(counts, rates))).toBe(exactCost(counts, rates));
      }),
    );
  });

  it("never falls when any count grows", () => {
    const anyGrowth = fc.record({ count: fc.constantFrom(...keysOf(NO_USAGE)), by: fc.nat(400_000) });
    fc.assert(
      fc.property(anyModel, anyUsage(400_000), anyGrowth, anyTime, (model, counts, growth, at) => {
        const more = { ...counts, [growth.count]: counts[growth.count] + growth.by };
        expect(cost(model, more, at)).toBeGreaterThanOrEqual(cost(model, counts, at));
      }),
    );
  });

  it("adds up where no threshold is crossed", () => {
    fc.assert(
      fc.property(anyModel, anyUsage(20_000), anyUsage(20_000), anyTime, (model, one, other, at) => {
        const sum = tokens(Object.fromEntries(keysOf(one).map((key) => [key, one[key] + other[key]])));
        const apart = cost(model, one, at) + cost(model, other, at);
        expect(Math.abs(cost(model, sum, at) - apart)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("is never negative, and zero for no usage, whatever the model is called", () => {
    const anyName = fc.oneof(fc.string(), anyModel, fc.constantFrom("__proto__", "constructor", "", "[1m]"));
    fc.assert(
      fc.property(anyName, anyUsage(COUNT_MAX), anyTime, (model, counts, at) => {
        expect(cost(model, counts, at)).toBeGreaterThanOrEqual(0);
        expect(cost(model, NO_USAGE, at)).toBe(0);
      }),
    );
  });
});

function keysOf(usage: TokenUsage): readonly (keyof TokenUsage)[] {
  return Object.keys(usage) as (keyof TokenUsage)[];
}

/** The library counts cache reads and writes into the input tokens, and 1-hour writes into the writes. */
function libraryCost(model: string, counts: TokenUsage, at: number): number {
  const cacheWrites = counts.cacheWrite5m + counts.cacheWrite1h;
  const usage = {
    input_tokens: counts.input + cacheWrites + counts.cacheRead,
    output_tokens: counts.output,
    cache_write_tokens: cacheWrites,
    cache_write_1h_tokens: counts.cacheWrite1h,
    cache_read_tokens: counts.cacheRead,
    web_searches: counts.webSearches,
  };
  const providerId = MODELS.find(({ id }) => id === model)?.provider ?? "";
  const found = calcPrice(usage, model, { providerId, timestamp: new Date(at) });
  if (found === null) throw new Error(`the library does not know ${model}`);
  return found.total_price * NANO_PER_DOLLAR;
}

function exactCost(counts: TokenUsage, rates: TokenRates): bigint {
  const pico =
    BigInt(counts.input) * BigInt(rates.input) +
    BigInt(counts.output) * BigInt(rates.output) +
    BigInt(counts.cacheWrite5m) * BigInt(rates.cacheWrite5m) +
    BigInt(counts.cacheWrite1h) * BigInt(rates.cacheWrite1h) +
    BigInt(counts.cacheRead) * BigInt(rates.cacheRead);
  return (pico + 500n) / 1000n;
}
