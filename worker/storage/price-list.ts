/** The fetched list of prices in D1, and its snapshot in KV, which the relay prices with. */
import { z } from "zod";
import type { EpochMs } from "../domain/ids.ts";
import { NO_PRICE_LIST, priceListSchema, type PriceList, type PriceListState } from "../domain/price-list.ts";
import { CachedSnapshot } from "./cached-snapshot.ts";
import { alone, type Commit } from "./commit.ts";
import type { SnapshotContext } from "./snapshots.ts";

/** Prices change once a day at most, and reading some fifty kilobytes twice a minute would be for nothing. */
const FRESH_MS = 10 * 60_000;

const rowSchema = z.object({
  version: z.number(),
  body: z.string().nullable(),
  fetched_at: z.number().nullable(),
  tried_at: z.number(),
  error: z.string().nullable(),
});

/** One that does not parse is none: the bundled prices stay. */
const parseList = (value: unknown): PriceList | null => priceListSchema.safeParse(value).data ?? null;

export async function readPriceList(
  db: D1Database,
): Promise<{ readonly list: PriceList; readonly state: PriceListState }> {
  const row = rowSchema.parse(await db.prepare("SELECT * FROM price_list WHERE id = 1").first());
  const fetched: unknown = row.body === null ? null : JSON.parse(row.body);
  return {
    list: parseList({ version: row.version, fetched }) ?? { ...NO_PRICE_LIST, version: row.version },
    state: {
      fetchedAt: row.fetched_at,
      triedAt: row.tried_at === 0 ? null : row.tried_at,
      error: row.error,
    },
  };
}

/** How long ago the last try must have been, in ms. */
export interface Patience {
  readonly afterSuccess: number;
  readonly afterFailure: number;
}

/** Claims a try. @returns whether it is time, or the bundle another, and nobody else has claimed it */
export async function claimFetch(
  db: D1Database,
  { afterSuccess, afterFailure }: Patience,
  bundle: string,
  now: EpochMs,
): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `UPDATE price_list SET tried_at = ?1, bundle = ?2
       WHERE bundle <> ?2 OR ?1 - tried_at >= CASE WHEN error IS NULL THEN ?3 ELSE ?4 END`,
    )
    .bind(now, bundle, afterSuccess, afterFailure)
    .run();
  return meta.changes === 1;
}

/** @param fetched null: it is the one in force */
export async function saveFetched(
  db: D1Database,
  fetched: PriceList["fetched"],
  now: EpochMs,
  commit: Commit = alone(db),
): Promise<void> {
  const tried = "fetched_at = ?1, tried_at = ?1, error = NULL, told = NULL";
  await commit([
    fetched === null
      ? db.prepare(`UPDATE price_list SET ${tried}`).bind(now)
      : db
          .prepare(`UPDATE price_list SET ${tried}, version = version + 1, body = ?2`)
          .bind(now, JSON.stringify(fetched)),
  ]);
}

export async function saveFailure(
  db: D1Database,
  error: string,
  now: EpochMs,
  commit: Commit = alone(db),
): Promise<void> {
  await commit([db.prepare("UPDATE price_list SET tried_at = ?1, error = ?2").bind(now, error)]);
}

/** @returns whether people have not been told of this error yet, since it began */
export async function claimTelling(db: D1Database, error: string): Promise<boolean> {
  const { meta } = await db.prepare("UPDATE price_list SET told = ?1 WHERE told IS NOT ?1").bind(error).run();
  return meta.changes === 1;
}

const snapshot = new CachedSnapshot<PriceList>({
  name: "price-list",
  read: parseList,
  nothing: NO_PRICE_LIST,
  freshMs: FRESH_MS,
});

/** It may be ten minutes old. Where KV cannot be read there is none, and the bundled prices hold. */
export const findPriceList = (context: SnapshotContext): Promise<PriceList> =>
  snapshot.find(context).catch(() => NO_PRICE_LIST);

export const putPriceList = (value: PriceList, context: SnapshotContext): Promise<void> =>
  snapshot.put(value, context);

/** Writes the snapshot if KV has another version of it. */
export const putMissingPriceList = (value: PriceList, context: SnapshotContext): Promise<void> =>
  snapshot.putMissing(value, context);
