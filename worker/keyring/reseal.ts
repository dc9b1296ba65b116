/**
 * After the newest key has changed: has every object seal its secrets anew, a bounded number each time, and notes which
 * keys are still needed. What was cut off goes on where it was.
 */
import { NOTIFIER_NAME } from "../../durable-objects/notifier/contract.ts";
import type { Env } from "../env.ts";
import {
  countToCheck,
  isNotifierDone,
  objectsToCheck,
  NOTIFIER_ROW,
  saveChecks,
  type KeyringCheck,
} from "../storage/keyring-checks.ts";
import { proxyIdSchema, type EpochMs } from "../domain/ids.ts";
import { resealSeed, seedOwner, seedsUnderOlderKeys } from "../storage/second-factors.ts";
import { keyMaterial, MissingKey, parseKeyring } from "../storage/seal.ts";

/** A run of a job may ask some hundred objects; the next one goes on in five minutes. */
const OBJECTS_PER_RUN = 100;
/** Stands for the keys of an object that does not answer. */
const UNKNOWN_KEY = "?";
/** Asked at once. */
const PARALLEL = 10;

/** The newest first. */
export const keyIdsOf = ({ ENCRYPTION_KEYS }: Env): readonly string[] => [
  ...keyMaterial(ENCRYPTION_KEYS).keys(),
];

export interface Resealed {
  /** Objects that were asked now. */
  readonly checked: number;
  /** Objects that may still have secrets under older keys. */
  readonly left: number;
}

/** Of an account or a shared proxy. */
const keysInUseBy = ({ ACCOUNTS, PROXIES }: Env, id: string): Promise<readonly string[]> =>
  proxyIdSchema.safeParse(id).success
    ? PROXIES.get(PROXIES.idFromName(id)).keysInUse()
    : ACCOUNTS.get(ACCOUNTS.idFromName(id)).keysInUse();

/** Seeds of apps are in D1, and each is sealed for its person. @returns how many were sealed anew */
async function resealSeeds(env: Env, newest: string): Promise<number> {
  const keyring = await parseKeyring(env.ENCRYPTION_KEYS);
  let resealed = 0;
  for (const { personId, seed } of await seedsUnderOlderKeys(env.DB, newest, OBJECTS_PER_RUN)) {
    const opened = await keyring.open(seed, seedOwner(personId)).catch((error: unknown) => {
      if (error instanceof MissingKey) return null;
      throw error;
    });
    if (opened === null) continue;
    await resealSeed(env.DB, personId, seed, await keyring.seal(opened.plaintext, seedOwner(personId)));
    resealed++;
  }
  return resealed;
}

export async function resealSome(env: Env, now: EpochMs): Promise<Resealed> {
  const [newest = ""] = keyIdsOf(env);
  const check = async (object: string, ask: () => Promise<readonly string[]>): Promise<KeyringCheck> => ({
    object,
    newest,
    // One that cannot say is asked again after the others, and counts as left.
    keyIds: await ask().catch(() => [UNKNOWN_KEY]),
    checkedAt: now,
  });
  const objects = await objectsToCheck(env.DB, newest, OBJECTS_PER_RUN);
  let checked = 0;
  for (let at = 0; at < objects.length; at += PARALLEL) {
    const checks = await Promise.all(
      objects.slice(at, at + PARALLEL).map((id) => check(id, () => keysInUseBy(env, id))),
    );
    await saveChecks(env.DB, checks);
    checked += checks.length;
  }
  if (!(await isNotifierDone(env.DB, newest))) {
    const object = env.NOTIFIER.get(env.NOTIFIER.idFromName(NOTIFIER_NAME));
    await saveChecks(env.DB, [await check(NOTIFIER_ROW, () => object.keysInUse())]);
    checked++;
  }
  checked += await resealSeeds(env, newest);
  const left = await countToCheck(env.DB, newest);
  return { checked, left: left + ((await isNotifierDone(env.DB, newest)) ? 0 : 1) };
}
