/** What ends soon, and who has been reminded of it. */
import { z } from "zod";
import type { EpochMs } from "../domain/ids.ts";

const rowSchema = z.object({ id: z.string(), name: z.string(), expiresAt: z.number() });
export type EndingRow = z.infer<typeof rowSchema>;

/** Enabled accounts and keys that end before `until`. Of accounts, also those that have ended. */
export async function listEnding(
  db: D1Database,
  now: EpochMs,
  until: EpochMs,
): Promise<{ readonly accounts: readonly EndingRow[]; readonly keys: readonly EndingRow[] }> {
  const [accounts, keys] = await db.batch([
    db
      .prepare(
        `SELECT id, name, config ->> 'expiresAt' AS expiresAt FROM account
         WHERE config ->> 'expiresAt' IS NOT NULL AND config ->> 'expiresAt' <= ?1 AND config ->> 'enabled' = 1`,
      )
      .bind(until),
    db
      .prepare(
        `SELECT id, name, config ->> 'expiresAt' AS expiresAt FROM relay_key
         WHERE config ->> 'expiresAt' IS NOT NULL AND config ->> 'expiresAt' > ?2
           AND config ->> 'expiresAt' <= ?1 AND config ->> 'enabled' = 1 AND config ->> 'deletedAt' IS NULL`,
      )
      .bind(until, now),
  ]);
  const parse = (result: D1Result | undefined) => (result?.results ?? []).map((row) => rowSchema.parse(row));
  return { accounts: parse(accounts), keys: parse(keys) };
}

const claimRow = z.object({ subject: z.string(), stage: z.string() });

export interface Claim {
  readonly subject: string;
  readonly expiresAt: EpochMs;
  readonly stage: string;
}

/** @returns those of which nobody was reminded before; a new end is reminded of anew */
export async function claimReminders(
  db: D1Database,
  claims: readonly Claim[],
): Promise<readonly z.infer<typeof claimRow>[]> {
  if (claims.length === 0) return [];
  const { results } = await db
    .prepare(
      `INSERT OR IGNORE INTO expiry_reminder (subject, expires_at, stage)
       SELECT value ->> 'subject', value ->> 'expiresAt', value ->> 'stage' FROM json_each(?) WHERE true
       RETURNING subject, stage`,
    )
    .bind(JSON.stringify(claims))
    .all();
  return results.map((row) => claimRow.parse(row));
}
