/** Relay keys in D1: their configuration, and of the key text only the hash. */
import { z } from "zod";
import { keyHash, keyIdSchema, type EpochMs, type KeyHash, type KeyId } from "../domain/ids.ts";
import { keyConfigSchema, type KeyConfig } from "../domain/key.ts";
import { FIRST_OWNER_ID } from "../domain/person.ts";
import { alone, type Commit } from "./commit.ts";
import { jsonRows } from "./json-rows.ts";

const rowSchema = z.object({ config: z.string(), hash: z.string().transform(keyHash) });

export interface StoredKey {
  readonly config: KeyConfig;
  readonly hash: KeyHash;
}

export const parseKeyRow = (value: unknown): StoredKey => {
  const row = rowSchema.parse(value);
  return { config: keyConfigSchema.parse(JSON.parse(row.config)), hash: row.hash };
};

export async function countKeys(db: D1Database): Promise<{ total: number; enabled: number }> {
  const row = await db
    .prepare(
      `SELECT count(*) AS total, coalesce(sum(config ->> 'enabled'), 0) AS enabled FROM relay_key
       WHERE config ->> 'deletedAt' IS NULL`,
    )
    .first();
  return z.object({ total: z.number(), enabled: z.number() }).parse(row);
}

export async function findKey(db: D1Database, id: KeyId): Promise<StoredKey | null> {
  const row = await db.prepare("SELECT config, hash FROM relay_key WHERE id = ?").bind(id).first();
  return row === null ? null : parseKeyRow(row);
}

/** Those of the ids that there are, in any order. */
export async function findKeys(db: D1Database, ids: readonly KeyId[]): Promise<StoredKey[]> {
  const { results } = await db
    .prepare("SELECT config, hash FROM relay_key WHERE id IN (SELECT value FROM json_each(?))")
    .bind(JSON.stringify(ids))
    .all();
  return results.map(parseKeyRow);
}

const rowOf = ({ config, hash }: StoredKey) => ({
  id: config.id,
  name: config.name,
  hash,
  config: JSON.stringify(config),
  createdAt: config.createdAt,
});

/** A key's configuration as it is stored: suspended where its owner is switched off or gone. */
const settled = (config: string): string =>
  `json_set(${config}, '$.suspended', json(CASE WHEN ${config} ->> 'ownerId' IS NULL
     OR ${config} ->> 'ownerId' = '${FIRST_OWNER_ID}'
     OR EXISTS (SELECT 1 FROM person WHERE person.id = ${config} ->> 'ownerId' AND person.config ->> 'enabled')
   THEN 'false' ELSE 'true' END))`;

/** New keys, which their objects and the edge are still to be told of. */
export async function insertKeys(
  db: D1Database,
  keys: readonly StoredKey[],
  commit: Commit = alone(db),
): Promise<void> {
  const insertion = db.prepare(
    `INSERT INTO relay_key (id, name, hash, config, created_at, untold)
     SELECT value ->> 'id', value ->> 'name', value ->> 'hash', ${settled("(v.value ->> 'config')")},
       value ->> 'createdAt', 1
     FROM json_each(?) v`,
  );
  await commit(jsonRows(keys.map(rowOf)).map((rows) => insertion.bind(rows)));
}

/** A changed key, and the `updatedAt` of what was changed. */
export interface KeyChange {
  readonly key: StoredKey;
  readonly basedOn: EpochMs;
}

/** A configuration that was not the one in force leaves no value, and there must be one: all of it is undone. */
const STALE = "NOT NULL constraint failed: relay_key.config";
export const isStale = (error: unknown): boolean => error instanceof Error && error.message.includes(STALE);

/**
 * The statements that replace keys, which their objects and the edge are still to be told of. What others changed in
 * between is never overwritten: the transaction fails, and `isStale` knows the error.
 */
export function replacements(db: D1Database, changes: readonly KeyChange[]): D1PreparedStatement[] {
  const replacement = db.prepare(
    `UPDATE relay_key SET name = v.value ->> 'name', hash = v.value ->> 'hash', untold = 1,
       config = CASE WHEN config ->> 'updatedAt' = v.value ->> 'basedOn' THEN ${settled("(v.value ->> 'config')")} END
     FROM json_each(?) v WHERE relay_key.id = v.value ->> 'id'`,
  );
  const rows = changes.map(({ key, basedOn }) => ({ ...rowOf(key), basedOn }));
  return jsonRows(rows).map((text) => replacement.bind(text));
}

/** Keys whose object or snapshot may not know their last change. */
export async function untoldKeys(db: D1Database, limit: number): Promise<StoredKey[]> {
  const { results } = await db
    .prepare("SELECT config, hash FROM relay_key WHERE untold = 1 ORDER BY id LIMIT ?")
    .bind(limit)
    .all();
  return results.map(parseKeyRow);
}

/**
 * Their objects and the edge know these. What was changed since is to be told once more, whoever told it already: the
 * edge may have been given the older of both last.
 */
export async function markTold(db: D1Database, keys: readonly StoredKey[]): Promise<void> {
  const rows = keys.map(({ config }) => ({ id: config.id, at: config.updatedAt }));
  await db
    .prepare(
      `UPDATE relay_key SET untold = CASE WHEN config ->> 'updatedAt' = v.value ->> 'at' THEN 0 ELSE 1 END
       FROM json_each(?) v WHERE relay_key.id = v.value ->> 'id'`,
    )
    .bind(JSON.stringify(rows))
    .run();
}

/** Keys with a text that was rotated out and has ended. */
export async function keysWithEndedText(db: D1Database, now: EpochMs, limit: number): Promise<StoredKey[]> {
  const { results } = await db
    .prepare("SELECT config, hash FROM relay_key WHERE config ->> '$.previous.until' <= ? LIMIT ?")
    .bind(now, limit)
    .all();
  return results.map(parseKeyRow);
}

/** Forgets ended texts, but none that a later rotation put in their place. */
export async function forgetEndedTexts(db: D1Database, now: EpochMs, ids: readonly KeyId[]): Promise<void> {
  await db
    .prepare(
      `UPDATE relay_key SET config = json_set(config, '$.previous', NULL)
       WHERE id IN (SELECT value FROM json_each(?)) AND config ->> '$.previous.until' <= ?`,
    )
    .bind(JSON.stringify(ids), now)
    .run();
}

/** What was put into the bin before an instant, the oldest keys first. */
export async function keysInBin(db: D1Database, before: EpochMs, limit: number): Promise<StoredKey[]> {
  const { results } = await db
    .prepare(
      `SELECT config, hash FROM relay_key
       WHERE config ->> 'deletedAt' IS NOT NULL AND config ->> 'deletedAt' < ? ORDER BY id LIMIT ?`,
    )
    .bind(before, limit)
    .all();
  return results.map(parseKeyRow);
}

const idRow = z.object({ id: keyIdSchema });

/**
 * Only what is in the bin: what was restored in between stays. And only what its object knows to be there: nobody would
 * tell it any more. @returns the keys that are gone
 */
export async function deleteKeys(
  db: D1Database,
  ids: readonly KeyId[],
  commit: Commit = alone(db),
): Promise<KeyId[]> {
  const deletion = db.prepare(
    `DELETE FROM relay_key
     WHERE id IN (SELECT value FROM json_each(?)) AND config ->> 'deletedAt' IS NOT NULL AND untold = 0
     RETURNING id`,
  );
  const captures = db.prepare("DELETE FROM capture WHERE key_id NOT IN (SELECT id FROM relay_key)");
  const [deleted] = await commit([deletion.bind(JSON.stringify(ids)), captures]);
  return (deleted?.results ?? []).map((row) => idRow.parse(row).id);
}
