/** Old records leave D1 in batches; what they add up to stays. */
import { z } from "zod";
import { firstRequestIdAt, type EpochMs } from "../domain/ids.ts";

/** From when on the ledger's records are whole, by their end. */
export async function recordsFrom(db: D1Database): Promise<EpochMs> {
  const row = await db.prepare("SELECT records_from AS at FROM usage_retention").first();
  return z.object({ at: z.number() }).parse(row).at;
}

/** Before the first record is deleted: nobody must take what is left for the whole. */
export async function announceDeletion(db: D1Database, before: EpochMs): Promise<void> {
  await db.prepare("UPDATE usage_retention SET records_from = ?1 WHERE records_from < ?1").bind(before).run();
}

const withId = z.looseObject({ request_id: z.string() });
export type StoredRecord = z.output<typeof withId>;

/** The oldest records that ended before an instant, with every column. */
export async function oldestRecords(db: D1Database, before: EpochMs, limit: number): Promise<StoredRecord[]> {
  const { results } = await db
    .prepare("SELECT * FROM usage_record WHERE request_id < ? AND ended_at < ? ORDER BY request_id LIMIT ?")
    .bind(firstRequestIdAt(before), before, limit)
    .all();
  return z.array(withId).parse(results);
}

/** By id: what was booked meanwhile is not deleted with them. */
export async function deleteRecords(db: D1Database, records: readonly StoredRecord[]): Promise<void> {
  const ids = JSON.stringify(records.map(({ request_id }) => request_id));
  await db
    .prepare("DELETE FROM usage_record WHERE request_id IN (SELECT value FROM json_each(?))")
    .bind(ids)
    .run();
}
