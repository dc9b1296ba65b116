/** Finishes what was changed of keys: what nobody was told of, texts that have ended, and what lay in the bin long enough. */
import type { AuditNote } from "../domain/audit.ts";
import { written } from "../domain/audit.ts";
import { keyHash, type EpochMs } from "../domain/ids.ts";
import type { Env } from "../env.ts";
import { parseAuditKeys } from "../storage/audit-hash.ts";
import { withEntries } from "../storage/audit.ts";
import { eraseKeys, reachKeys } from "../storage/key-reach.ts";
import { forgetEndedTexts, keysInBin, keysWithEndedText, untoldKeys } from "../storage/keys.ts";
import { deleteKey } from "../storage/snapshots.ts";

/** What one run does at most: a worker may ask D1 and KV a thousand times each. */
const KEYS_PER_RUN = 200;
const DAY_MS = 86_400_000;
/** How long a key stays in the bin. */
export const BIN_DAYS = 30;

const snapshotsOf = ({ KV }: Env, now: EpochMs) => ({ kv: KV, now, waitUntil: () => undefined });

/** Ends when what it told holds everywhere. @returns how many keys their objects have heard of */
export async function tellKeys(env: Env, now: EpochMs): Promise<number> {
  const keys = await untoldKeys(env.DB, KEYS_PER_RUN);
  let standsMs = 0;
  const failures = await reachKeys(keys, {
    db: env.DB,
    snapshots: snapshotsOf(env, now),
    configure: async (config) => {
      standsMs = Math.max(standsMs, await env.KEYS.get(env.KEYS.idFromName(config.id)).configure(config));
    },
  });
  await scheduler.wait(standsMs);
  return keys.length - failures.size;
}

/** Texts that were rotated out are refused by the key's object since they ended; here their traces go. */
export async function forgetOldTexts(env: Env, now: EpochMs): Promise<void> {
  const keys = await keysWithEndedText(env.DB, now, KEYS_PER_RUN);
  if (keys.length === 0) return;
  for (const { config } of keys) {
    if (config.previous !== null) await deleteKey(keyHash(config.previous.hash), snapshotsOf(env, now));
  }
  const ids = keys.map(({ config }) => config.id);
  await forgetEndedTexts(env.DB, now, ids);
}

export async function emptyBin(env: Env, now: EpochMs): Promise<void> {
  const keys = await keysInBin(env.DB, now - BIN_DAYS * DAY_MS, KEYS_PER_RUN);
  if (keys.length === 0) return;
  const notes = keys.map(({ config }): AuditNote => ({
    at: now,
    actor: { id: null, name: `after ${String(BIN_DAYS)} days in the bin` },
    action: "key.erase",
    target: config.id,
    ...written({ before: config }),
  }));
  const log = { db: env.DB, keys: await parseAuditKeys(env.ENCRYPTION_KEYS) };
  await eraseKeys(env.DB, keys, withEntries(log, notes), (id) =>
    env.KEYS.get(env.KEYS.idFromName(id)).revoke(),
  );
}
