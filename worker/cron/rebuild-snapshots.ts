/** Makes the KV snapshots anew from D1: whatever a failed write left behind is put right within minutes. */
import type { Env } from "../env.ts";
import { readDirectory } from "../storage/accounts.ts";
import { listKeys } from "../storage/key-list.ts";
import { snapshotEntries } from "../storage/key-reach.ts";
import { putMissingPriceList, readPriceList } from "../storage/price-list.ts";
import { listOverrides, putMissingOverrides } from "../storage/prices.ts";
import { putMissingSettings, readSettings } from "../storage/settings.ts";
import { putDirectory, putMissingKeys } from "../storage/snapshots.ts";

const KEYS_PER_RUN = 500;

export async function rebuildSnapshots(env: Env): Promise<void> {
  const context = { kv: env.KV, now: Date.now(), waitUntil: () => undefined };
  await putDirectory(await readDirectory(env.DB), context);
  await putMissingSettings(await readSettings(env.DB), context);
  await putMissingOverrides(await listOverrides(env.DB), context);
  await putMissingPriceList((await readPriceList(env.DB)).list, context);
  const { items } = await listKeys(env.DB, { limit: KEYS_PER_RUN, offset: 0 });
  const entries = items.flatMap((key) => snapshotEntries(key, context.now));
  await putMissingKeys(entries, context);
}
