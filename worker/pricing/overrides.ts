/** The price list with a deployment's own prices in it. Pure: the only memory is of tables already made. */
import { picoPerToken, type PriceOverride, type PriceOverrides } from "../domain/price-override.ts";
import type { Price, PricedModel, PriceTable } from "./table.ts";

const NANO_PER_DOLLAR = 1_000_000_000;

const made = new WeakMap<PriceOverrides, { readonly of: PriceTable; readonly combined: PriceTable }>();

/**
 * An override of a model's id replaces that model's prices, surcharges for speed and discounts of batches
 * included; any other is a model of its own that only its exact name means, before all others.
 */
export function withOverrides(table: PriceTable, own: PriceOverrides): PriceTable {
  if (own.overrides.length === 0) return table;
  const known = made.get(own);
  if (known?.of === table) return known.combined;
  const byModel = new Map(own.overrides.map((override) => [override.model, override]));
  const replaced = table.models.map((model) => {
    const override = byModel.get(model.id);
    byModel.delete(model.id);
    return override === undefined ? model : { ...model, ...pricesOf(override) };
  });
  const combined: PriceTable = {
    version: `${table.version}+own.${String(own.version)}`,
    models: [...[...byModel.values()].map(modelOf), ...replaced],
  };
  made.set(own, { of: table, combined });
  return combined;
}

function pricesOf(override: PriceOverride): Pick<PricedModel, "prices" | "fastPercent" | "batchPercent"> {
  const price: Price = {
    from: null,
    rates: {
      input: picoPerToken(override.input),
      output: picoPerToken(override.output),
      cacheWrite5m: picoPerToken(override.cacheWrite5m),
      cacheWrite1h: picoPerToken(override.cacheWrite1h),
      cacheRead: picoPerToken(override.cacheRead),
    },
    longContext: null,
    webSearchNano: Math.round(override.webSearch * NANO_PER_DOLLAR),
  };
  return { prices: [price], fastPercent: 100, batchPercent: 100 };
}

const modelOf = (override: PriceOverride): PricedModel => ({
  id: override.model,
  provider: "own",
  name: override.model,
  contextWindow: null,
  deprecated: false,
  match: { equals: override.model },
  ...pricesOf(override),
});
