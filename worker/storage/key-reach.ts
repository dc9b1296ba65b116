/** Takes what D1 says of keys to whoever acts on it: each key's object, and the snapshots at the edge. */
import { fingerprintOf, keyHash, type EpochMs, type KeyHash, type KeyId } from "../domain/ids.ts";
import type { KeyConfig } from "../domain/key.ts";
import type { Commit } from "./commit.ts";
import { deleteKeys, markTold, type StoredKey } from "./keys.ts";
import { deleteKey, putKey, type SnapshotContext } from "./snapshots.ts";

/** Objects asked at the same time: a worker has six connections, and more would only wait. */
const AT_ONCE = 20;

export interface Reach {
  readonly db: D1Database;
  readonly snapshots: SnapshotContext;
  /** Tells the key's object. */
  readonly configure: (config: KeyConfig) => Promise<unknown>;
}

export interface SnapshotEntry {
  readonly hash: KeyHash;
  readonly config: KeyConfig;
  /** When the entry may go; null: it stays. */
  readonly until: EpochMs | null;
}

/** What finds the key at the edge: its text, and for a while the one before. A key in the bin is not found. */
export function snapshotEntries({ config, hash }: StoredKey, now: EpochMs): SnapshotEntry[] {
  const { previous, deletedAt } = config;
  if (deletedAt !== null) return [];
  const newest = { hash, config, until: null };
  if (previous === null || previous.until <= now) return [newest];
  const old = keyHash(previous.hash);
  return [
    newest,
    { hash: old, config: { ...config, fingerprint: fingerprintOf(old) }, until: previous.until },
  ];
}

async function publish(key: StoredKey, snapshots: SnapshotContext): Promise<void> {
  const entries = snapshotEntries(key, snapshots.now);
  for (const { hash, config, until } of entries) await putKey(hash, config, snapshots, until);
  const { previous } = key.config;
  const all = [key.hash, ...(previous === null ? [] : [keyHash(previous.hash)])];
  const gone = all.filter((hash) => !entries.some((entry) => entry.hash === hash));
  for (const hash of gone) await deleteKey(hash, snapshots);
}

/**
 * Tells objects first: they decide. What fails is told later, by the job that looks for it.
 *
 * @returns the errors of objects that could not be told
 */
export async function reachKeys(
  keys: readonly StoredKey[],
  { db, snapshots, configure }: Reach,
): Promise<ReadonlyMap<KeyId, unknown>> {
  const failures = new Map<KeyId, unknown>();
  const told: StoredKey[] = [];
  const reach = async (key: StoredKey): Promise<void> => {
    try {
      await configure(key.config);
    } catch (error) {
      failures.set(key.config.id, error);
      return;
    }
    // A snapshot only finds the key; KV refuses a second write of one within a second.
    const published = await publish(key, snapshots).then(
      () => true,
      () => false,
    );
    if (published) told.push(key);
  };
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    await Promise.all(keys.slice(from, from + AT_ONCE).map(reach));
  }
  if (told.length > 0) await markTold(db, told);
  return failures;
}

/** Deletes keys that are in the bin for ever; what they used stays in the ledger. @returns those that are gone */
export async function eraseKeys(
  db: D1Database,
  keys: readonly StoredKey[],
  commit: Commit,
  revoke: (id: KeyId) => Promise<unknown>,
): Promise<readonly KeyId[]> {
  const wanted = keys.map(({ config }) => config.id);
  const ids = await deleteKeys(db, wanted, commit);
  // Their objects refuse them already. That they are revoked holds even if an older copy of D1 comes back.
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    await Promise.allSettled(ids.slice(from, from + AT_ONCE).map(revoke));
  }
  return ids;
}
