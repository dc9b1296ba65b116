/**
 * Writes worker/pricing/table.json from the list prices bundled in @pydantic/genai-prices, completed by what the
 * vendors publish and the library leaves out. Run it after each update of the library: `node scripts/prices.ts`.
 */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { findProvider } from "@pydantic/genai-prices";
import type { ConditionalPrice, ModelInfo, ModelPrice, TieredPrices } from "@pydantic/genai-prices";
import { format, resolveConfig } from "prettier";
import { z } from "zod";
import type { LongContext, Price, PricedModel, PriceTable, TokenRates } from "../worker/pricing/table.ts";

interface Source {
  readonly provider: string;
  /** Which of the library's models go into the table. */
  readonly models: RegExp;
  /** 1-hour cache writes in percent of the input rate, where the library gives none; null: as other cache writes. */
  readonly cacheWrite1hPercent: number | null;
  readonly batchPercent: number;
  readonly fastPercent: Readonly<Record<string, number>>;
  /** Beyond those the library marks. */
  readonly deprecated: readonly string[];
}

const SOURCES: readonly Source[] = [
  {
    provider: "anthropic",
    models: /^/,
    // platform.claude.com/docs/en/about-claude/pricing#prompt-caching: 1.25 and 2 times the input price.
    cacheWrite1hPercent: 200,
    // Same page, #batch-processing: half price for input and output, and the cache multipliers stack with it.
    batchPercent: 50,
    // Same page, #fast-mode-pricing, as of 2026-09: $8/$40 for Opus 5.5, $10/$50 for Opus 5 and 4.8. Opus 4.7
    // refuses the speed and 4.6 bills it as standard.
    fastPercent: { "claude-opus-5-5": 200, "claude-opus-5": 200, "claude-opus-4-8": 200 },
    // The `Model` type of @anthropic-ai/sdk 1.11.0 no longer names them; Sonnet 4.5 is in its DEPRECATED_MODELS.
    deprecated: [
      "claude-v1",
      "claude-2",
      "claude-3-haiku",
      "claude-3-sonnet",
      "claude-3-opus-latest",
      "claude-3-5-haiku-latest",
      "claude-3-5-sonnet",
      "claude-3-7-sonnet-latest",
      "claude-opus-4-0",
      "claude-opus-4-1",
      "claude-sonnet-4-0",
      "claude-sonnet-4-5",
    ],
  },
  {
    provider: "openai",
    // Text, reasoning, embeddings and pictures since 2024. Speech is billed by units that no answer of a relayed
    // call reports; what is older has been shut down.
    models:
      /^(?:gpt-(?:4o|4\.1|5|6|image|chat|oss)|o[134]|codex-mini|computer-use|text-embedding-3)(?!.*(?:audio|realtime|transcribe|tts|extended|ft-))/,
    cacheWrite1hPercent: null,
    // developers.openai.com/api/docs/pricing: Batch and Flex are half price, cached input included. For the priority
    // tier the library has no prices, so it is booked at the standard ones.
    batchPercent: 50,
    fastPercent: {},
    // Superseded; they keep their prices for who still asks for them.
    deprecated: [
      "codex-mini",
      "gpt-4o",
      "gpt-4o-2024-05-13",
      "gpt-4o-mini",
      "gpt-4o-search-preview",
      "gpt-5-image",
      "gpt-5-image-mini",
      "gpt-image-1",
      "gpt-image-1-mini",
      "o1",
      "o1-mini",
      "o1-preview",
      "o1-pro",
      "o3-mini",
    ],
  },
  {
    provider: "google",
    // Claude models are Anthropic's, as Vertex sells them; embeddings, live talk and films have no route here.
    models: /^(gemini|gemma)-(?!embedding|live|omni)(?!.*-live-)/,
    // What lies in its caches is billed by the hour, says the library, and writing it as any other input.
    cacheWrite1hPercent: null,
    // ai.google.dev/gemini-api/docs/pricing, as the library quotes it: batches cost half.
    batchPercent: 50,
    fastPercent: {},
    // Generations that two newer ones have replaced; the library keeps their prices without a mark.
    deprecated: [
      "gemini-1.0-pro-vision-001",
      "gemini-1.5-flash",
      "gemini-1.5-pro",
      "gemini-2.0-flash",
      "gemini-2.0-flash-lite",
      "gemini-flash-1.5",
      "gemini-flash-1.5-8b",
      "gemini-pro",
      "gemini-pro-1.5",
    ],
  },
];

const TABLE = fileURLToPath(new URL("../worker/pricing/table.json", import.meta.url));

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

function modelsOf(source: Source): PricedModel[] {
  const provider = findProvider({ providerId: source.provider });
  if (provider === undefined) throw new Error(`the library has no provider ${source.provider}`);
  for (const id of [...Object.keys(source.fastPercent), ...source.deprecated]) {
    if (!provider.models.some((model) => model.id === id)) throw new Error(`the library no longer has ${id}`);
  }
  return provider.models
    .filter(({ id }) => source.models.test(id))
    .map((model) => modelOf(model, source))
    .filter((model) => model.prices.length > 0);
}

function modelOf(model: ModelInfo, source: Source): PricedModel {
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

/** Oldest first, as the library keeps them: it takes the last one that has begun. */
function conditionalPrices(model: ModelInfo): readonly ConditionalPrice[] {
  return Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
}

function priceOf({ constraint, prices }: ConditionalPrice, id: string, source: Source): Price {
  if (constraint?.type === "time_of_date")
    throw new Error(`${id} has prices by the hour, which the table lacks`);
  const unread = Object.keys(prices).filter((key) => !READ_KEYS.has(key) && !UNREPORTED_KEYS.has(key));
  if (unread.length > 0) console.warn(`${id}: not in the table: ${unread.join(", ")}`);
  return {
    from: constraint?.start_date ?? null,
    rates: ratesOf(prices, source, baseRate),
    longContext: longContextOf(prices, id, source),
    // A dollar per thousand calls is 1e6 nano-dollars per call: the same factor as in pico-dollars per token.
    webSearchNano: whole(baseRate(prices["web_searches_kcount"] ?? 0)),
  };
}

type RateOf = (price: number | TieredPrices) => number;

const baseRate: RateOf = (price) => (typeof price === "number" ? price : price.base);
const tierRate: RateOf = (price) =>
  typeof price === "number" ? price : (price.tiers[0]?.price ?? price.base);

/** A kind of token without a rate is charged as the kind that contains it, as in the library. */
function ratesOf(prices: ModelPrice, source: Source, rateOf: RateOf): TokenRates {
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

function longContextOf(prices: ModelPrice, id: string, source: Source): LongContext | null {
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

async function libraryVersion(): Promise<string> {
  const manifest = new URL("../package.json", import.meta.resolve("@pydantic/genai-prices"));
  return z.object({ version: z.string() }).parse(JSON.parse(await readFile(manifest, "utf8"))).version;
}

const models = SOURCES.flatMap(modelsOf);
const hash = createHash("sha256").update(JSON.stringify(models)).digest("hex").slice(0, 8);
const table: PriceTable = { version: `genai-prices-${await libraryVersion()}+${hash}`, models };
await writeFile(
  TABLE,
  await format(JSON.stringify(table), { ...(await resolveConfig(TABLE)), parser: "json" }),
);
