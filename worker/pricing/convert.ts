/** From the public list to the models of the table. Pure. */
import type { ConditionalPrices, ListedModel, ListedPrice, ListedPrices, PublicList } from "./public-list.ts";
import { SOURCES, type Source } from "./sources.ts";
import type { LongContext, Price, PricedModel, TokenRates } from "./table.ts";

const READ_KEYS = new Set([
  "input_mtok",
  "output_mtok",
  "cache_write_mtok",
  "cache_write_5m_mtok",
  "cache_write_1h_mtok",
  "cache_read_mtok",
  "output_image_mtok",
  "web_searches_kcount",
]);

/** Of which no answer of a relayed call says how many there were: pictures are only made here, from text. */
const UNREPORTED_KEYS = new Set(["storage_searches_kcount", "input_image_mtok", "cache_image_read_mtok"]);

/** @throws Error that names a price which the table cannot hold */
export const modelsFrom = (list: PublicList): PricedModel[] =>
  SOURCES.flatMap((source) =>
    (list.get(source.provider) ?? [])
      .map((model) => modelOf(model, source))
      .filter((model) => model.prices.length > 0),
  );

/** What the list has a price for, and the table has not: a line for each such model. */
export const unreadPrices = (list: PublicList): string[] =>
  [...list.values()].flat().flatMap((model) => {
    const names = conditionalPrices(model).flatMap(({ prices }) => Object.keys(prices));
    const unread = new Set(names.filter((name) => !READ_KEYS.has(name) && !UNREPORTED_KEYS.has(name)));
    return unread.size === 0 ? [] : [`${model.id}: not in the table: ${[...unread].join(", ")}`];
  });

/** Models that `SOURCES` names and the list has not. */
export const unlisted = (list: PublicList): string[] =>
  SOURCES.flatMap(({ provider, fastPercent, deprecated }) =>
    [...Object.keys(fastPercent), ...deprecated].filter(
      (id) => list.get(provider)?.some((model) => model.id === id) !== true,
    ),
  );

function modelOf(model: ListedModel, source: Source): PricedModel {
  const priced: PricedModel = {
    id: model.id,
    provider: source.provider,
    name: model.name ?? model.id,
    contextWindow: model.context_window ?? null,
    deprecated: model.deprecated === true || source.deprecated.includes(model.id),
    match: model.match,
    fastPercent: source.fastPercent[model.id] ?? 100,
    batchPercent: source.batchPercent,
    prices: conditionalPrices(model)
      .filter(({ prices }) => prices["input_mtok"] !== undefined)
      .map((conditional) => priceOf(conditional, model.id, source)),
  };
  requireWholeSurcharges(priced);
  return priced;
}

/** Oldest first, as the list keeps them: it takes the last one that has begun. */
const conditionalPrices = ({ prices }: ListedModel): readonly ConditionalPrices[] =>
  isConditional(prices) ? prices : [{ prices }];

const isConditional = (prices: ListedModel["prices"]): prices is ConditionalPrices[] => Array.isArray(prices);

function priceOf({ constraint, prices }: ConditionalPrices, id: string, source: Source): Price {
  if (constraint !== undefined && !("start_date" in constraint)) {
    throw new Error(`${id} has prices by the hour, which the table lacks`);
  }
  return {
    from: constraint?.start_date ?? null,
    rates: ratesOf(prices, source, baseRate),
    longContext: longContextOf(prices, id, source),
    // A dollar per thousand calls is 1e6 nano-dollars per call: the same factor as in pico-dollars per token.
    webSearchNano: whole(baseRate(prices["web_searches_kcount"] ?? 0)),
  };
}

type RateOf = (price: ListedPrice) => number;

const baseRate: RateOf = (price) => (typeof price === "number" ? price : price.base);
const tierRate: RateOf = (price) =>
  typeof price === "number" ? price : (price.tiers[0]?.price ?? price.base);

/** A kind of token without a rate is charged as the kind that contains it, as in the list's own library. */
function ratesOf(prices: ListedPrices, source: Source, rateOf: RateOf): TokenRates {
  const read = (key: string): number | null => {
    const price = prices[key];
    return price === undefined ? null : whole(rateOf(price));
  };
  const input = read("input_mtok") ?? 0;
  const cacheWrite = read("cache_write_mtok");
  const cacheWrite1h =
    cacheWrite === null ? input : (percentOf(input, source.cacheWrite1hPercent) ?? cacheWrite);
  return {
    input,
    // What a model of pictures puts out is a picture.
    output: read("output_image_mtok") ?? read("output_mtok") ?? 0,
    cacheWrite5m: read("cache_write_5m_mtok") ?? cacheWrite ?? input,
    cacheWrite1h: read("cache_write_1h_mtok") ?? cacheWrite1h,
    cacheRead: read("cache_read_mtok") ?? input,
  };
}

const percentOf = (rate: number, percent: number | null): number | null =>
  percent === null ? null : (rate * percent) / 100;

function longContextOf(prices: ListedPrices, id: string, source: Source): LongContext | null {
  const tiered = Object.values(prices).filter((price) => typeof price === "object");
  const starts = new Set(tiered.flatMap((price) => price.tiers.map((tier) => tier.start)));
  const [aboveTokens, ...more] = starts;
  if (aboveTokens === undefined) return null;
  if (more.length > 0)
    throw new Error(`${id} has more than one long-context threshold: ${[...starts].join(", ")}`);
  return { aboveTokens, rates: ratesOf(prices, source, tierRate) };
}

function whole(dollarsPerMillion: number): number {
  const picoDollars = Math.round(dollarsPerMillion * 1e6);
  if (picoDollars / 1e6 !== dollarsPerMillion)
    throw new Error(`${String(dollarsPerMillion)} is finer than a pico-dollar`);
  return picoDollars;
}

function requireWholeSurcharges(model: PricedModel): void {
  const sets = model.prices.flatMap((price) => [price.rates, price.longContext?.rates ?? price.rates]);
  const percents = [model.fastPercent, model.batchPercent, (model.fastPercent * model.batchPercent) / 100];
  for (const rate of sets.flatMap((rates) => Object.values<number>({ ...rates }))) {
    if (percents.some((percent) => !Number.isInteger((rate * percent) / 100))) {
      throw new Error(`${model.id}: a surcharge on ${String(rate)} is finer than a pico-dollar`);
    }
  }
}
