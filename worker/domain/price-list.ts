/** The public list of prices, as it was fetched: what stands in the place of the bundled table. Pure. */
import { z } from "zod";
import type { EpochMs } from "./ids.ts";
import { priceTableSchema } from "./price-table.ts";

/** As D1 and KV keep it. */
export const priceListSchema = z.object({
  /** Counts the changes. */
  version: z.number(),
  fetched: z
    .object({
      table: priceTableSchema,
      /** The version of the table that was bundled then: a newer bundle stands before an older list. */
      bundle: z.string(),
    })
    .readonly()
    .nullable(),
});
export type PriceList = Readonly<z.infer<typeof priceListSchema>>;

export const NO_PRICE_LIST: PriceList = { version: 0, fetched: null };

/** How the fetching goes. */
export interface PriceListState {
  /** When the list in force came, or was found unchanged; null: never. */
  readonly fetchedAt: EpochMs | null;
  /** null: nobody has tried yet. */
  readonly triedAt: EpochMs | null;
  /** Why the last try brought nothing; null: it did, or there was none. */
  readonly error: string | null;
}
