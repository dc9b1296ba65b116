/** The price table that is bundled with the worker. Pure. */
import type { PriceTable } from "../domain/price-table.ts";
import bundled from "./table.json" with { type: "json" };

export type {
  LongContext,
  MatchRule,
  Price,
  PricedModel,
  PriceTable,
  TokenRates,
} from "../domain/price-table.ts";

// The compiler checks every entry of the JSON against the type in this assignment, and the file can only change
// with a commit, so a second check when an isolate starts would find nothing and delay the first request.
export const PRICE_TABLE: PriceTable = bundled;
