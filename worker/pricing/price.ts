/** What a usage costs, in whole nano-dollars. Pure: the only memory is of names already looked up. */
import type { EpochMs } from "../domain/ids.ts";
import type { NanoDollars } from "../domain/money.ts";
import type { TokenUsage } from "../domain/usage.ts";
import { findModel } from "./find-model.ts";
import type { Price, PricedModel, PriceTable, TokenRates } from "./table.ts";

export interface BillableUsage {
  readonly tokens: TokenUsage;
  readonly model: string;
  readonly serviceTier: string | null;
  readonly speed: string | null;
}

export interface Cost {
  readonly cost: NanoDollars;
  /** The table's version; null when the table has no price for the model, and `cost` is 0 for that reason. */
  readonly priceVersion: string | null;
}

const UNPRICED: Cost = { cost: 0, priceVersion: null };
const PICO_PER_NANO = 1000;
/** OpenAI bills its `flex` tier at the prices of a batch. */
const BATCH_TIERS: readonly (string | null)[] = ["batch", "flex"];

/** @param startedAt when the request began: of a model's successive prices, the one of that time applies */
export function priceOf(usage: BillableUsage, startedAt: EpochMs, table: PriceTable): Cost {
  const model = findModel(table, usage.model);
  if (model === null) return UNPRICED;
  const price = priceAt(model, startedAt);
  if (price === null) return UNPRICED;
  const percent = surchargePercent(model, usage);
  const cost =
    tokensCost(usage.tokens, ratesFor(price, usage.tokens), percent) + searchesCost(usage.tokens, price);
  return { cost, priceVersion: table.version };
}

export function priceAt(model: PricedModel, at: EpochMs): Price | null {
  return model.prices.findLast(({ from }) => from === null || at >= Date.parse(from)) ?? null;
}

function ratesFor(price: Price, tokens: TokenUsage): TokenRates {
  if (price.longContext === null) return price.rates;
  const prompt = tokens.input + tokens.cacheWrite5m + tokens.cacheWrite1h + tokens.cacheRead;
  return prompt > price.longContext.aboveTokens ? price.longContext.rates : price.rates;
}

// Cache multipliers stack with both, says Anthropic's pricing page, so each is a percentage of all token rates. A
// `priority` tier is paid by commitment and has no list price: its tokens are booked at the standard rates.
function surchargePercent(model: PricedModel, usage: BillableUsage): number {
  const fast = usage.speed === "fast" ? model.fastPercent : 100;
  const batch = BATCH_TIERS.includes(usage.serviceTier) ? model.batchPercent : 100;
  return (fast * batch) / 100;
}

function tokensCost(tokens: TokenUsage, rates: TokenRates, percent: number): NanoDollars {
  const parts: readonly (readonly [count: number, rate: number])[] = [
    [tokens.input, rates.input],
    [tokens.output, rates.output],
    [tokens.cacheWrite5m, rates.cacheWrite5m],
    [tokens.cacheWrite1h, rates.cacheWrite1h],
    [tokens.cacheRead, rates.cacheRead],
  ];
  // A billion tokens at $75 a million are 7.5e16 pico-dollars, past the safe integers. Nano-dollars and the odd
  // pico-dollars are therefore summed apart: both sums stay exact, and the one rounding comes at the end.
  let nano = 0;
  let pico = 0;
  for (const [count, rate] of parts) {
    const picoPerToken = (rate * percent) / 100;
    nano += count * Math.floor(picoPerToken / PICO_PER_NANO);
    pico += count * (picoPerToken % PICO_PER_NANO);
  }
  return nano + Math.floor((pico + PICO_PER_NANO / 2) / PICO_PER_NANO);
}

const searchesCost = (tokens: TokenUsage, price: Price): NanoDollars =>
  tokens.webSearches * price.webSearchNano;
