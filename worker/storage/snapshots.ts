/**
 * KV snapshots of what D1 owns, so that a request never asks D1, and a short cache of them in the isolate.
 * A snapshot may be stale: it only finds and ranks. Whether a key is live is its object's word.
 */
import { directorySchema, type Directory } from "../domain/account.ts";
import type { EpochMs, KeyHash } from "../domain/ids.ts";
import { keySnapshotSchema, type KeySnapshot } from "../domain/key.ts";

/** The least that KV allows. */
const KV_CACHE_TTL_S = 30;
/** Older entries are still used, but refreshed in the background. */
const FRESH_MS = 30_000;
/** Older entries are read again before use. */
const USABLE_MS = 5 * 60_000;
const KEYS_MAX = 10_000;
const DIRECTORY_KEY = "directory";

interface Cached<Value> {
  readonly value: Value;
  readonly readAt: EpochMs;
}

export interface SnapshotContext {
  readonly kv: KVNamespace;
  readonly now: EpochMs;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

const keys = new Map<KeyHash, Cached<KeySnapshot>>();
let directory: Cached<Directory> | null = null;

const EMPTY_DIRECTORY: Directory = { version: 0, accounts: [], groups: [], purses: [] };

async function readKey(hash: KeyHash, { kv, now }: SnapshotContext): Promise<KeySnapshot | null> {
  const stored = await kv.get(`key:${hash}`, { type: "json", cacheTtl: KV_CACHE_TTL_S });
  // A record that does not parse is no key: an empty or partial one must never open a door.
  const parsed = keySnapshotSchema.safeParse(stored);
  if (!parsed.success) {
    keys.delete(hash);
    return null;
  }
  if (keys.size >= KEYS_MAX) keys.clear();
  keys.set(hash, { value: parsed.data, readAt: now });
  return parsed.data;
}

export async function findKey(hash: KeyHash, context: SnapshotContext): Promise<KeySnapshot | null> {
  const cached = keys.get(hash);
  const age = cached === undefined ? Infinity : context.now - cached.readAt;
  if (cached === undefined || age > USABLE_MS) return readKey(hash, context);
  if (age > FRESH_MS) {
    keys.set(hash, { value: cached.value, readAt: context.now - FRESH_MS / 2 });
    context.waitUntil(readKey(hash, context));
  }
  return cached.value;
}

async function readDirectory({ kv, now }: SnapshotContext): Promise<Directory> {
  const stored = await kv.get(DIRECTORY_KEY, { type: "json", cacheTtl: KV_CACHE_TTL_S });
  const read = stored === null ? EMPTY_DIRECTORY : directorySchema.parse(stored);
  const value = directory !== null && directory.value.version > read.version ? directory.value : read;
  directory = { value, readAt: now };
  return value;
}

/** @param maxAgeMs read KV anew if the cached directory is older than this */
export async function findDirectory(context: SnapshotContext, maxAgeMs = USABLE_MS): Promise<Directory> {
  const age = directory === null ? Infinity : context.now - directory.readAt;
  if (directory === null || age > maxAgeMs) return readDirectory(context);
  if (age > FRESH_MS) {
    directory = { value: directory.value, readAt: context.now - FRESH_MS / 2 };
    context.waitUntil(readDirectory(context));
  }
  return directory.value;
}

/** The least that KV allows. */
const EXPIRATION_S_MIN = 60;

/** @param until when the entry is no longer needed; null: it stays */
export async function putKey(
  hash: KeyHash,
  snapshot: KeySnapshot,
  { kv, now }: SnapshotContext,
  until: EpochMs | null = null,
): Promise<void> {
  keys.set(hash, { value: snapshot, readAt: now });
  const leftS = until === null ? null : Math.max(EXPIRATION_S_MIN, Math.ceil((until - now) / 1000));
  const options = leftS === null ? {} : { expirationTtl: leftS };
  await kv.put(`key:${hash}`, JSON.stringify(keySnapshotSchema.parse(snapshot)), options);
}

export async function deleteKey(hash: KeyHash, { kv }: SnapshotContext): Promise<void> {
  keys.delete(hash);
  await kv.delete(`key:${hash}`);
}

export async function putDirectory(value: Directory, { kv, now }: SnapshotContext): Promise<void> {
  if (directory === null || directory.value.version <= value.version) directory = { value, readAt: now };
  await kv.put(DIRECTORY_KEY, JSON.stringify(value));
}

/** Writes the snapshots that KV lacks. Writes cost ten times what reads do, so those that are there stay. */
export async function putMissingKeys(
  entries: readonly {
    readonly hash: KeyHash;
    readonly config: KeySnapshot;
    readonly until: EpochMs | null;
  }[],
  context: SnapshotContext,
): Promise<void> {
  for (const { hash, config, until } of entries) {
    const known = await context.kv.get(`key:${hash}`);
    if (known === null) await putKey(hash, config, context, until);
  }
}
