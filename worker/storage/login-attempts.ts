/** Slows down who guesses passwords: every try counts before its password is looked at, in one statement. */
import { z } from "zod";
import { toHex } from "../domain/encoding.ts";
import type { EpochMs } from "../domain/ids.ts";

/** Tries that cost nothing, and the longest wait between two after that: doubling from a second. */
export interface Patience {
  readonly free: number;
  readonly waitMsMax: number;
}

/** A subject that nobody tried for so long begins anew. */
const FORGOTTEN_MS = 60 * 60_000;

/** The wait before the next try after so many, in ms. */
const WAIT_SQL = "CASE WHEN tries < ?3 THEN 0 ELSE min(?4, 1000 << min(tries - ?3, 20)) END";

/** Only a hash is kept of who tried. */
export async function subjectOf(kind: string, text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${kind} ${text}`));
  return `${kind}:${toHex(new Uint8Array(digest, 0, 16))}`;
}

const waitRow = z.object({ wait: z.number() });

/** Counts a try. @returns null: it may go on; else how long to wait, in ms */
export async function countTry(
  db: D1Database,
  subject: string,
  { free, waitMsMax }: Patience,
  now: EpochMs,
): Promise<number | null> {
  const [counted, waiting] = await db.batch([
    db
      .prepare(
        `INSERT INTO login_attempt (subject, tries, at) VALUES (?1, 1, ?2)
         ON CONFLICT (subject) DO UPDATE SET tries = CASE WHEN at <= ?2 - ${String(FORGOTTEN_MS)} THEN 1 ELSE tries + 1 END, at = ?2
         WHERE at + ${WAIT_SQL} <= ?2`,
      )
      .bind(subject, now, free, waitMsMax),
    db
      .prepare(`SELECT at + ${WAIT_SQL} - ?2 AS wait FROM login_attempt WHERE subject = ?1`)
      .bind(subject, now, free, waitMsMax),
  ]);
  if ((counted?.meta.changes ?? 0) > 0) return null;
  return Math.max(1, waitRow.parse(waiting?.results[0]).wait);
}

/**
 * Counts a try within an hour, of which there may be so many.
 *
 * @returns null: it may go on; else how long to wait, in ms
 */
export async function countWithin(
  db: D1Database,
  subject: string,
  triesMax: number,
  now: EpochMs,
): Promise<number | null> {
  const isOver = `at <= ?2 - ${String(FORGOTTEN_MS)}`;
  const [counted, waiting] = await db.batch([
    db
      .prepare(
        `INSERT INTO login_attempt (subject, tries, at) VALUES (?1, 1, ?2)
         ON CONFLICT (subject) DO UPDATE SET tries = CASE WHEN ${isOver} THEN 1 ELSE tries + 1 END,
           at = CASE WHEN ${isOver} THEN ?2 ELSE at END
         WHERE ${isOver} OR tries < ?3`,
      )
      .bind(subject, now, triesMax),
    db
      .prepare(`SELECT at + ${String(FORGOTTEN_MS)} - ?2 AS wait FROM login_attempt WHERE subject = ?1`)
      .bind(subject, now),
  ]);
  if ((counted?.meta.changes ?? 0) > 0) return null;
  return Math.max(1, waitRow.parse(waiting?.results[0]).wait);
}

/** The password was right: nobody guessed. */
export async function forgiveTry(db: D1Database, subjects: readonly string[]): Promise<void> {
  await db.batch(
    subjects.map((subject) =>
      db.prepare("UPDATE login_attempt SET tries = max(0, tries - 1) WHERE subject = ?").bind(subject),
    ),
  );
}

export async function forgetOldTries(db: D1Database, now: EpochMs): Promise<void> {
  await db
    .prepare("DELETE FROM login_attempt WHERE at <= ?")
    .bind(now - FORGOTTEN_MS)
    .run();
}
