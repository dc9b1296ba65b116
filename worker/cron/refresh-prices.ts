/** Fetches the public list of prices once a day. */
import type { EpochMs } from "../domain/ids.ts";
import type { Env } from "../env.ts";
import { refreshPrices } from "../price-list/refresh.ts";
import { PRICE_TABLE } from "../pricing/table.ts";
import { claimFetch } from "../storage/price-list.ts";

const PATIENCE = { afterSuccess: 86_400_000, afterFailure: 3_600_000 } as const;

export async function refreshPricesDaily(env: Env, now: EpochMs): Promise<void> {
  if (env.PRICES_URL === "off") return;
  if (!(await claimFetch(env.DB, PATIENCE, PRICE_TABLE.version, now))) return;
  await refreshPrices({ env, kv: env.KV, now, waitUntil: () => undefined });
}
