/** Relay keys in D1: their configuration, and of the key text only the hash. */
import { z } from "zod";
import {
  keyHash,
  keyIdSchema,
  type AccountId,
  type EpochMs,
  type KeyHash,
  type KeyId,
  type PersonId,
} from "../domain/ids.ts";
import { keyConfigSchema, type KeyConfig } from "../domain/key.ts";
import { FIRST_OWNER_ID } from "../domain/person.ts";
import { alone, type Commit } from "./commit.ts";

const rowSchema = z.object({ config: z.string(), hash: z.string().transform(keyHash) });

export interface StoredKey {
  readonly config: KeyConfig;
  readonly hash: KeyHash;
}

const parseRow = (value: unknown): StoredKey => {
  const row = rowSchema.parse(value);
  return { config: keyConfigSchema.parse(JSON.parse(row.config)), hash: row.hash };
};

/** Undefined: any. */
export interface KeyFilter {
  readonly ownerId?: PersonId | undefined;
  /** What is in the bin, instead of what is not. */
  readonly deleted?: boolean | undefined;
}

function whereOf({ ownerId, deleted = false }: KeyFilter): { sql: string; values: string[] } {
  const isDeleted = `config ->> 'deletedAt' IS ${deleted ? "NOT NULL" : "NULL"}`;
  if (ownerId === undefined) return { sql: isDeleted, values: [] };
  return { sql: `${isDeleted} AND config ->> 'ownerId' = ?`, values: [ownerId] };
}

/** Keys, the newest first. */
export async function listKeys(
  db: D1Database,
  page: { readonly limit: number; readonly offset: number },
  filter: KeyFilter = {},
): Promise<{ items: StoredKey[]; total: number }> {
  const { sql, values } = whereOf(filter);
  const [rows, count] = await db.batch([
    db
      .prepare(`SELECT config, hash FROM relay_key WHERE ${sql} ORDER BY id DESC LIMIT ? OFFSET ?`)
      .bind(...values, page.limit, page.offset),
    db.prepare(`SELECT count(*) AS total FROM relay_key WHERE ${sql}`).bind(...values),
  ]);
  const { total } = z.object({ total: z.number() }).parse(count?.results[0]);
  return { items: (rows?.results ?? []).map(parseRow), total };
}

const boundRowSchema = z.object({
  id: keyIdSchema,
  name: z.string(),
  enabled: z.number(),
  fallback: z.number(),
});

export interface BoundKey {
  readonly id: KeyId;
  readonly name: string;
  readonly enabled: boolean;
  /** Without its account the shared pool serves it; otherwise it is refused. */
  readonly bindingFallback: boolean;
}

/** Keys that are bound to one account, the newest first. */
export async function listBoundKeys(
  db: D1Database,
  account: AccountId,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ items: BoundKey[]; total: number }> {
  const where = "WHERE config ->> '$.binding.accountId' = ?";
  const [rows, count] = await db.batch([
    db
      .prepare(
        `SELECT id, name, config ->> 'enabled' AS enabled, coalesce(config ->> 'bindingFallback', 0) AS fallback
         FROM relay_key ${where} ORDER BY id DESC LIMIT ? OFFSET ?`,
      )
      .bind(account, page.limit, page.offset),
    db.prepare(`SELECT count(*) AS total FROM relay_key ${where}`).bind(account),
  ]);
  const { total } = z.object({ total: z.number() }).parse(count?.results[0]);
  const items = (rows?.results ?? []).map((row) => {
    const { id, name, enabled, fallback } = boundRowSchema.parse(row);
    return { id, name, enabled: enabled === 1, bindingFallback: fallback === 1 };
  });
  return { items, total };
}

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
  return row === null ? null : parseRow(row);
}

export async function saveKey(
  db: D1Database,
  { config, hash }: StoredKey,
  commit: Commit = alone(db),
): Promise<void> {
  await commit([
    db
      .prepare(
        `INSERT INTO relay_key (id, name, hash, config, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, hash = excluded.hash, config = excluded.config`,
      )
      .bind(config.id, config.name, hash, JSON.stringify(config), config.createdAt),
  ]);
}

/**
 * Adds a key to those of its owner, who may have so many and must not be switched off. One statement looks and writes,
 * so that however many come at once, no more go through; its failure undoes what is committed with it.
 *
 * @returns false when there is no room, or nobody to have it
 */
export async function addKeyWithin(
  db: D1Database,
  { config, hash }: StoredKey,
  keysMax: number,
  commit: Commit = alone(db),
): Promise<boolean> {
  const insertion = db
    .prepare(
      `INSERT INTO relay_key (id, name, hash, config, created_at) VALUES (
         CASE WHEN (?6 = '${FIRST_OWNER_ID}' OR EXISTS (SELECT 1 FROM person WHERE id = ?6 AND config ->> 'enabled'))
           AND (SELECT count(*) FROM relay_key WHERE config ->> 'ownerId' = ?6 AND config ->> 'deletedAt' IS NULL) < ?7
         THEN ?1 END, ?2, ?3, ?4, ?5)`,
    )
    .bind(config.id, config.name, hash, JSON.stringify(config), config.createdAt, config.ownerId, keysMax);
  try {
    await commit([insertion]);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes("NOT NULL constraint failed: relay_key.id"))
      return false;
    throw error;
  }
}

/** For a query of what an owner's keys did: takes the owner's id. */
export const KEYS_OF_OWNER = "SELECT id FROM relay_key WHERE config ->> 'ownerId' = ?";

/** Each of an owner's keys, those in the bin included. */
export async function keysOfOwner(db: D1Database, ownerId: PersonId): Promise<StoredKey[]> {
  const { results } = await db
    .prepare("SELECT config, hash FROM relay_key WHERE config ->> 'ownerId' = ?")
    .bind(ownerId)
    .all();
  return results.map(parseRow);
}

/** For the transaction that changes their owner. */
export const suspension = (db: D1Database, ownerId: PersonId, suspended: boolean): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE relay_key SET config = json_set(config, '$.suspended', json(?2))
       WHERE config ->> 'ownerId' = ?1 AND coalesce(config ->> 'suspended', 0) <> ?3`,
    )
    .bind(ownerId, String(suspended), Number(suspended));

/** For the transaction that deletes their owner: into the bin, what is not there yet. */
export const binning = (db: D1Database, ownerId: PersonId, now: EpochMs): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE relay_key SET config = json_set(config, '$.suspended', json('true'),
         '$.deletedAt', coalesce(config ->> 'deletedAt', ?2)) WHERE config ->> 'ownerId' = ?1`,
    )
    .bind(ownerId, now);

export async function deleteKey(db: D1Database, id: KeyId, commit: Commit = alone(db)): Promise<void> {
  await commit([db.prepare("DELETE FROM relay_key WHERE id = ?").bind(id)]);
}
