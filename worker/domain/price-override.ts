/** Prices of a deployment's own, which stand before the price list's. Pure. */
import { z } from "zod";

const PICO_PER_DOLLAR_PER_MILLION = 1_000_000;
/** A hundred times the dearest list price there has been; with it a billion tokens still cost a safe integer. */
const DOLLARS_MAX = 10_000;

const isExact = (dollars: number): boolean => {
  const millionths = dollars * 1_000_000;
  return Math.abs(millionths - Math.round(millionths)) < 1e-3;
};

/** With six decimals at most, so that each is a whole number of pico-dollars per token. */
const dollarsSchema = z.number().min(0).max(DOLLARS_MAX).refine(isExact, "must have six decimals at most");

export const priceInputSchema = z
  .strictObject({
    /** Dollars per million tokens. */
    input: dollarsSchema,
    output: dollarsSchema,
    /** Absent: as input. */
    cacheWrite5m: dollarsSchema.optional(),
    cacheWrite1h: dollarsSchema.optional(),
    cacheRead: dollarsSchema.optional(),
    /** Dollars per search. */
    webSearch: dollarsSchema.default(0),
  })
  .transform(({ input, output, cacheWrite5m, cacheWrite1h, cacheRead, webSearch }) => ({
    input,
    output,
    cacheWrite5m: cacheWrite5m ?? input,
    cacheWrite1h: cacheWrite1h ?? input,
    cacheRead: cacheRead ?? input,
    webSearch,
  }));

/** As it is stored: nothing is left out any more. */
export const priceOverrideSchema = z.object({
  /** An id of the price list, which then means every name of that model, or one exact name; in lower case. */
  model: z.string(),
  input: z.number(),
  output: z.number(),
  cacheWrite5m: z.number(),
  cacheWrite1h: z.number(),
  cacheRead: z.number(),
  webSearch: z.number(),
});
export type PriceOverride = Readonly<z.infer<typeof priceOverrideSchema>>;

export const priceOverridesSchema = z.object({
  /** Counts their changes. */
  version: z.number(),
  overrides: z.array(priceOverrideSchema).readonly(),
});
export type PriceOverrides = Readonly<z.infer<typeof priceOverridesSchema>>;

export const NO_OVERRIDES: PriceOverrides = { version: 0, overrides: [] };

export const pricedModelSchema = z
  .string()
  .trim()
  .toLowerCase()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, "must not contain control characters");

/** Pico-dollars per token. */
export const picoPerToken = (dollarsPerMillion: number): number =>
  Math.round(dollarsPerMillion * PICO_PER_DOLLAR_PER_MILLION);
