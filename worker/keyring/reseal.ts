/**
 * After the newest key has changed: has every object seal its secrets anew, a bounded number each time, and notes which
 * keys are still needed. What was cut off goes on where it was.
 */
import { NOTIFIER_NAME } from "../../durable-objects/notifier/contract.ts";
import type { EpochMs } from "../domain/ids.ts";
import type { Env } from "../env.ts";
import {
  accountsToCheck,
  countToCheck,
  isNotifierDone,
  NOTIFIER_ROW,
  saveChecks,
  type KeyringCheck,
} from "../storage/keyring-checks.ts";
import { keyMaterial } from "../storage/seal.ts";

/** A run of a job may ask some hundred objects; the next one goes on in five minutes. */
const ACCOUNTS_PER_RUN = 100;
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

export async function resealSome(env: Env, now: EpochMs): Promise<Resealed> {
  const [newest = ""] = keyIdsOf(env);
  const check = async (object: string, ask: () => Promise<readonly string[]>): Promise<KeyringCheck> => ({
    object,
    newest,
    keyIds: await ask(),
    checkedAt: now,
  });
  const accounts = await accountsToCheck(env.DB, newest, ACCOUNTS_PER_RUN);
  let checked = 0;
  for (let at = 0; at < accounts.length; at += PARALLEL) {
    const checks = await Promise.all(
      accounts
        .slice(at, at + PARALLEL)
        .map((id) => check(id, () => env.ACCOUNTS.get(env.ACCOUNTS.idFromName(id)).keysInUse())),
    );
    await saveChecks(env.DB, checks);
    checked += checks.length;
  }
  if (!(await isNotifierDone(env.DB, newest))) {
    const object = env.NOTIFIER.get(env.NOTIFIER.idFromName(NOTIFIER_NAME));
    await saveChecks(env.DB, [await check(NOTIFIER_ROW, () => object.keysInUse())]);
    checked++;
  }
  const left = await countToCheck(env.DB, newest);
  return { checked, left: left + ((await isNotifierDone(env.DB, newest)) ? 0 : 1) };
}
