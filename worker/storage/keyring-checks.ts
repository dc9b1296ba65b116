/** Which key each object's secrets were last found sealed with. */
import { z } from "zod";
import type { EpochMs } from "../domain/ids.ts";

export const NOTIFIER_ROW = "notifier";

/** Only the newest key, or no secret at all. */
const settled = (newest: string) => JSON.stringify([newest]);
const NONE = "[]";

// Last what failed before: what was never looked at comes first.
const OBJECTS = "(SELECT id FROM account UNION ALL SELECT id FROM proxy)";
const DUE = `FROM ${OBJECTS} o LEFT JOIN keyring_check ON keyring_check.object = o.id
  WHERE newest IS NOT ?1 OR key_ids NOT IN (?2, '${NONE}')`;

/** Accounts and shared proxies, by their ids, that may have secrets under an older key. */
export async function objectsToCheck(db: D1Database, newest: string, limit: number): Promise<string[]> {
  const { results } = await db
    .prepare(`SELECT o.id ${DUE} ORDER BY coalesce(checked_at, 0) LIMIT ?3`)
    .bind(newest, settled(newest), limit)
    .all();
  return results.map((row) => z.object({ id: z.string() }).parse(row).id);
}

export async function countToCheck(db: D1Database, newest: string): Promise<number> {
  const row = await db.prepare(`SELECT count(*) AS n ${DUE}`).bind(newest, settled(newest)).first();
  return z.object({ n: z.number() }).parse(row).n;
}

export async function isNotifierDone(db: D1Database, newest: string): Promise<boolean> {
  const row = await db
    .prepare(
      `SELECT 1 FROM keyring_check WHERE object = ?1 AND newest = ?2 AND key_ids IN (?3, '${NONE}') LIMIT 1`,
    )
    .bind(NOTIFIER_ROW, newest, settled(newest))
    .first();
  return row !== null;
}

export interface KeyringCheck {
  readonly object: string;
  readonly newest: string;
  readonly keyIds: readonly string[];
  readonly checkedAt: EpochMs;
}

export async function saveChecks(db: D1Database, checks: readonly KeyringCheck[]): Promise<void> {
  if (checks.length === 0) return;
  const save = db.prepare("INSERT OR REPLACE INTO keyring_check VALUES (?, ?, ?, ?)");
  await db.batch([
    // Of what is gone.
    db
      .prepare(`DELETE FROM keyring_check WHERE object <> ? AND object NOT IN (SELECT id FROM ${OBJECTS})`)
      .bind(NOTIFIER_ROW),
    ...checks.map(({ object, newest, keyIds, checkedAt }) =>
      save.bind(object, newest, JSON.stringify(keyIds), checkedAt),
    ),
  ]);
}

const countsSchema = z.array(z.object({ id: z.string(), n: z.number() }));
export type KeyCounts = ReadonlyMap<string, number>;

/** By key: objects, sign-ins that wait for their code, and rows of the audit log. */
export async function keyCounts(
  db: D1Database,
  now: EpochMs,
): Promise<{
  readonly objects: KeyCounts;
  readonly signIns: KeyCounts;
  readonly seeds: KeyCounts;
  readonly auditEntries: KeyCounts;
}> {
  const found = await db.batch([
    db.prepare("SELECT value AS id, count(*) AS n FROM keyring_check, json_each(key_ids) GROUP BY 1"),
    db
      .prepare(
        "SELECT substr(secrets, 1, instr(secrets, '.') - 1) AS id, count(*) AS n FROM oauth_session WHERE expires_at > ? GROUP BY 1",
      )
      .bind(now),
    db.prepare(
      "SELECT substr(seed, 1, instr(seed, '.') - 1) AS id, count(*) AS n FROM person_totp GROUP BY 1",
    ),
    db.prepare("SELECT key_id AS id, count(*) AS n FROM audit_entry GROUP BY 1"),
  ]);
  const [objects, signIns, seeds, auditEntries] = found.map(
    ({ results }) => new Map(countsSchema.parse(results).map(({ id, n }) => [id, n])),
  );
  return {
    objects: objects ?? new Map<string, number>(),
    signIns: signIns ?? new Map<string, number>(),
    seeds: seeds ?? new Map<string, number>(),
    auditEntries: auditEntries ?? new Map<string, number>(),
  };
}
