/** Which price table holds: the deployment's own prices before the fetched list, and that before the bundled one. Pure. */
import type { PriceList } from "../domain/price-list.ts";
import type { PriceOverrides } from "../domain/price-override.ts";
import { withOverrides } from "./overrides.ts";
import { PRICE_TABLE, type PriceTable } from "./table.ts";

/** Without the deployment's own prices. A list that was fetched beside another bundle is not for this one. */
export const listInForce = ({ fetched }: PriceList): PriceTable =>
  fetched?.bundle === PRICE_TABLE.version ? fetched.table : PRICE_TABLE;

export const pricesInForce = (list: PriceList, own: PriceOverrides): PriceTable =>
  withOverrides(listInForce(list), own);
