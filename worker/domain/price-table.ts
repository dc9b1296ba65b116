/** What a price table holds. Pure. */
import { z } from "zod";

/** Pico-dollars (1e-12 $) per token: dollars per million tokens times 1e6, so that every list price is whole. */
export interface TokenRates {
  readonly input: number;
  readonly output: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly cacheRead: number;
}

export interface LongContext {
  /** These rates apply to all tokens of a request whose input, cache writes and reads exceed this together. */
  readonly aboveTokens: number;
  readonly rates: TokenRates;
}

export interface Price {
  /** The UTC day from whose first instant this price holds; null for the one that held from the start. */
  readonly from: string | null;
  readonly rates: TokenRates;
  readonly longContext: LongContext | null;
  /** Nano-dollars for each search, whatever the tier or the speed. */
  readonly webSearchNano: number;
}

/** Compared in lower case, except that a regex is taken as it stands. */
export type MatchRule =
  | { readonly equals: string }
  | { readonly starts_with: string }
  | { readonly ends_with: string }
  | { readonly contains: string }
  | { readonly regex: string }
  | { readonly or: readonly MatchRule[] }
  | { readonly and: readonly MatchRule[] };

export interface PricedModel {
  readonly id: string;
  readonly provider: string;
  readonly name: string;
  readonly contextWindow: number | null;
  readonly deprecated: boolean;
  readonly match: MatchRule;
  /** Of the token rates, when the answer was made at `fast` speed; 100 where there is no such surcharge. */
  readonly fastPercent: number;
  /** Of the token rates, when the answer came from a batch; 100 where there is no such discount. */
  readonly batchPercent: number;
  /** Oldest first. */
  readonly prices: readonly Price[];
}

export interface PriceTable {
  readonly version: string;
  /** In the order in which their rules are tried: the first match wins. */
  readonly models: readonly PricedModel[];
}

/** Dollars per million tokens: a hundred times the dearest list price there has been. */
export const LIST_DOLLARS_MAX = 10_000;
const RATE_MAX = LIST_DOLLARS_MAX * 1_000_000;
/** Of a name, an id, or a text that a name is compared with. */
const TEXT_LENGTH_MAX = 200;
/** Many times what the vendors sell. */
export const MODELS_MAX = 3000;
const PRICES_MAX = 100;

const rate = z.int().min(0).max(RATE_MAX);
const ratesSchema = z
  .object({ input: rate, output: rate, cacheWrite5m: rate, cacheWrite1h: rate, cacheRead: rate })
  .readonly();

const priceSchema = z
  .object({
    from: z.iso.date().nullable(),
    rates: ratesSchema,
    longContext: z
      .object({ aboveTokens: z.int().min(0), rates: ratesSchema })
      .readonly()
      .nullable(),
    webSearchNano: rate,
  })
  .readonly() satisfies z.ZodType<Price>;

// Empty, it would fit every name.
const compared = z.string().min(1).max(TEXT_LENGTH_MAX);

export const matchRuleSchema: z.ZodType<MatchRule> = z.lazy(() =>
  z.union([
    z.strictObject({ equals: compared }),
    z.strictObject({ starts_with: compared }),
    z.strictObject({ ends_with: compared }),
    z.strictObject({ contains: compared }),
    z.strictObject({ regex: compared }),
    z.strictObject({ or: z.array(matchRuleSchema).min(1) }),
    z.strictObject({ and: z.array(matchRuleSchema).min(1) }),
  ]),
);

const percent = z.int().min(0).max(1000);
export const pricedModelTextSchema = z.string().min(1).max(TEXT_LENGTH_MAX);

export const priceTableSchema = z
  .object({
    version: z.string().min(1),
    models: z
      .array(
        z
          .object({
            id: pricedModelTextSchema,
            provider: pricedModelTextSchema,
            name: pricedModelTextSchema,
            contextWindow: z.int().min(0).nullable(),
            deprecated: z.boolean(),
            match: matchRuleSchema,
            fastPercent: percent,
            batchPercent: percent,
            prices: z.array(priceSchema).min(1).max(PRICES_MAX).readonly(),
          })
          .readonly(),
      )
      .max(MODELS_MAX)
      .readonly(),
  })
  .readonly() satisfies z.ZodType<PriceTable>;
