/** Keys of people: how many they may have, and how keys follow their owner. */
import type { EpochMs, PersonId } from "../domain/ids.ts";
import { FIRST_OWNER_ID } from "../domain/person.ts";
import { alone, type Commit } from "./commit.ts";
import { parseKeyRow, type StoredKey } from "./keys.ts";

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
      `INSERT INTO relay_key (id, name, hash, config, created_at, untold) VALUES (
         CASE WHEN (?6 = '${FIRST_OWNER_ID}' OR EXISTS (SELECT 1 FROM person WHERE id = ?6 AND config ->> 'enabled'))
           AND (SELECT count(*) FROM relay_key WHERE config ->> 'ownerId' = ?6 AND config ->> 'deletedAt' IS NULL) < ?7
         THEN ?1 END, ?2, ?3, ?4, ?5, 1)`,
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
  return results.map(parseKeyRow);
}

/** A change of what it was: no older one may replace it, and its object is still to be told. */
const CHANGED = "'$.updatedAt', max(?2, config ->> 'updatedAt' + 1)";

/** For the transaction that changes their owner. */
export const suspension = (
  db: D1Database,
  ownerId: PersonId,
  { suspended, now }: { readonly suspended: boolean; readonly now: EpochMs },
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE relay_key SET untold = 1, config = json_set(config, '$.suspended', json(?3), ${CHANGED})
       WHERE config ->> 'ownerId' = ?1 AND coalesce(config ->> 'suspended', 0) <> ?4`,
    )
    .bind(ownerId, now, String(suspended), Number(suspended));

/** For the transaction that deletes their owner: into the bin, what is not there yet. */
export const binning = (db: D1Database, ownerId: PersonId, now: EpochMs): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE relay_key SET untold = 1, config = json_set(config, '$.suspended', json('true'),
         '$.deletedAt', coalesce(config ->> 'deletedAt', ?2), ${CHANGED}) WHERE config ->> 'ownerId' = ?1`,
    )
    .bind(ownerId, now);
