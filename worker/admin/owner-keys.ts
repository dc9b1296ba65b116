/** Keys follow their owner: what D1 says of them after their owner changed, their objects are told. */
import type { Context } from "hono";
import type { PersonId } from "../domain/ids.ts";
import { keysOfOwner, type StoredKey } from "../storage/keys.ts";
import { deleteKey as deleteSnapshot } from "../storage/snapshots.ts";
import { snapshotsOf, type AdminEnv } from "./context.ts";
import { keyObject } from "./objects.ts";

/** Objects that are told at once: a person may have hundreds of keys, and a worker few connections. */
const AT_ONCE = 20;

async function tell(context: Context<AdminEnv>, { config, hash }: StoredKey): Promise<void> {
  await keyObject(context.env, config.id).configure(config);
  if (config.deletedAt !== null) await deleteSnapshot(hash, snapshotsOf(context));
}

/** @throws when an object could not be told: the change is made, and making it again tells all of them again */
export async function tellKeysOf(context: Context<AdminEnv>, ownerId: PersonId): Promise<void> {
  const keys = await keysOfOwner(context.env.DB, ownerId);
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    await Promise.all(keys.slice(at, at + AT_ONCE).map((key) => tell(context, key)));
  }
}
