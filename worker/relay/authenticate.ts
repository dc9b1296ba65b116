/** Whose call is it: finds the relay key in a request and looks it up. An unknown key reaches no object. */
import { RelayError } from "../domain/errors.ts";
import type { KeyHash } from "../domain/ids.ts";
import { KEY_PREFIX, type KeySnapshot } from "../domain/key.ts";
import { hashKey } from "../storage/hash.ts";
import { findKey, type SnapshotContext } from "../storage/snapshots.ts";

const KEY_FORMAT = new RegExp(`^${KEY_PREFIX}[0-9a-f]{64}$`);

/** Headers that may carry a credential; none of them ever goes upstream. */
export const CREDENTIAL_HEADERS = ["x-api-key", "x-goog-api-key", "authorization", "api-key"] as const;

/** The same words for every key that does not work, so that keys cannot be probed. */
const refused = () => new RelayError("unauthenticated", "Invalid API key");

/**
 * The relay key of a request: the first that has our prefix, in the order of `CREDENTIAL_HEADERS` and then the
 * query. The one found is final; a refused key never makes way for the next.
 *
 * @throws RelayError `unauthenticated`
 */
export function relayKeyOf(headers: Headers, query: URLSearchParams | null): string {
  let anyCredential = false;
  for (const name of CREDENTIAL_HEADERS) {
    const value = headers.get(name);
    if (value === null || value === "") continue;
    anyCredential = true;
    const key = (name === "authorization" ? value.replace(/^bearer\s+/i, "") : value).trim();
    if (key.startsWith(KEY_PREFIX)) return key;
  }
  const key = query?.get("key") ?? "";
  if (key.startsWith(KEY_PREFIX)) return key;
  if (anyCredential || key !== "") throw refused();
  throw new RelayError(
    "unauthenticated",
    "No API key was given. Send your relay key as x-api-key or as Authorization: Bearer.",
  );
}

/** Hashes of keys seen by this isolate, in memory only: hashing costs more than anything else here. */
const HASHES_MAX = 1000;
const hashes = new Map<string, KeyHash>();

async function hashOf(key: string): Promise<KeyHash> {
  const hash = await hashKey(key);
  if (hashes.size >= HASHES_MAX) hashes.clear();
  hashes.set(key, hash);
  return hash;
}

export async function authenticate(
  headers: Headers,
  query: URLSearchParams | null,
  context: SnapshotContext,
): Promise<KeySnapshot> {
  const key = relayKeyOf(headers, query);
  if (!KEY_FORMAT.test(key)) throw refused();
  const snapshot = await findKey(hashes.get(key) ?? (await hashOf(key)), context);
  if (snapshot === null) throw refused();
  return snapshot;
}
