/** Which keys' requests are captured, in D1: what an admin ordered, and nothing of what was said. */
import { z } from "zod";
import type { Capture } from "../domain/capture.ts";
import { keyIdSchema, type EpochMs, type KeyId } from "../domain/ids.ts";

/** More than an admin can look at. */
const LISTED_MAX = 200;

const rowSchema = z
  .object({
    key_id: keyIdSchema,
    started_at: z.number(),
    until: z.number(),
    erase_at: z.number(),
    count: z.number(),
    bytes: z.number(),
  })
  .transform(({ key_id, started_at, until, erase_at, count, bytes }): Capture => ({
    keyId: key_id,
    startedAt: started_at,
    until,
    eraseAt: erase_at,
    count,
    bytes,
  }));

/** The newest first. */
export async function listCaptures(db: D1Database, now: EpochMs): Promise<Capture[]> {
  const { results } = await db
    .prepare("SELECT * FROM capture WHERE erase_at > ? ORDER BY started_at DESC LIMIT ?")
    .bind(now, LISTED_MAX)
    .all();
  return z.array(rowSchema).parse(results);
}

export async function findCapture(db: D1Database, keyId: KeyId, now: EpochMs): Promise<Capture | null> {
  const row = await db
    .prepare("SELECT * FROM capture WHERE key_id = ? AND erase_at > ?")
    .bind(keyId, now)
    .first();
  return row === null ? null : rowSchema.parse(row);
}

/** With it goes what is over. */
export const saveCaptureStatements = (db: D1Database, capture: Capture): D1PreparedStatement[] => [
  db.prepare("DELETE FROM capture WHERE erase_at <= ?").bind(capture.startedAt),
  db
    .prepare("INSERT OR REPLACE INTO capture VALUES (?, ?, ?, ?, ?, ?)")
    .bind(capture.keyId, capture.startedAt, capture.until, capture.eraseAt, capture.count, capture.bytes),
];

export const deleteCaptureStatement = (db: D1Database, keyId: KeyId): D1PreparedStatement =>
  db.prepare("DELETE FROM capture WHERE key_id = ?").bind(keyId);
