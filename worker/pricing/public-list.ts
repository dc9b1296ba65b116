/** The public list of prices as it comes, in the form of @pydantic/genai-prices. Pure. */
import { z } from "zod";
import {
  LIST_DOLLARS_MAX,
  matchRuleSchema,
  MODELS_MAX,
  pricedModelTextSchema,
} from "../domain/price-table.ts";
import { SOURCES } from "./sources.ts";

const dollars = z.number().min(0).max(LIST_DOLLARS_MAX);
const tieredSchema = z.object({
  base: dollars,
  tiers: z.array(z.object({ start: z.int().min(0), price: dollars })).min(1),
});
/** Dollars per million tokens, or per thousand of what is counted one by one. */
export type ListedPrice = number | z.infer<typeof tieredSchema>;

const pricesSchema = z.record(z.string(), z.union([dollars, tieredSchema]).optional());
export type ListedPrices = Readonly<z.infer<typeof pricesSchema>>;

const conditionalSchema = z.object({
  /** From a day on, or at some hours of the day. */
  constraint: z
    .union([
      z.object({ start_date: z.iso.date() }),
      z.object({ start_time: z.string(), end_time: z.string() }),
    ])
    .optional(),
  prices: pricesSchema,
});
export type ConditionalPrices = Readonly<z.infer<typeof conditionalSchema>>;

const listedModelSchema = z.object({
  id: pricedModelTextSchema,
  name: pricedModelTextSchema.optional(),
  match: matchRuleSchema,
  context_window: z.int().min(0).optional(),
  deprecated: z.boolean().optional(),
  prices: z.union([z.array(conditionalSchema), pricesSchema]),
});
export type ListedModel = Readonly<z.infer<typeof listedModelSchema>>;

const listSchema = z.array(
  z.looseObject({ id: z.string(), models: z.array(z.looseObject({ id: z.string() })) }),
);

/** By provider. */
export type PublicList = ReadonlyMap<string, readonly ListedModel[]>;

const modelsSchema = z.array(listedModelSchema).max(MODELS_MAX);

/**
 * What the table is made of is looked at closely, and of the rest nothing.
 *
 * @throws ZodError, or Error that names a provider that is missing
 */
export function parsePublicList(value: unknown): PublicList {
  const providers = listSchema.parse(value);
  return new Map(
    SOURCES.map((source) => {
      const found = providers.find(({ id }) => id === source.provider);
      if (found === undefined) throw new Error(`the list has no provider ${source.provider}`);
      return [source.provider, modelsSchema.parse(found.models.filter(({ id }) => source.models.test(id)))];
    }),
  );
}
