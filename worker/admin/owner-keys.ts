/** Keys follow their owner: what D1 says of them after their owner changed, their objects and the edge are told. */
import type { Context } from "hono";
import type { PersonId } from "../domain/ids.ts";
import { reachKeys } from "../storage/key-reach.ts";
import { keysOfOwner } from "../storage/owner-keys.ts";
import type { AdminEnv } from "./context.ts";
import { reachOf } from "./key-saving.ts";

/** An object that cannot be told now is told by the job that looks for those. */
export async function tellKeysOf(context: Context<AdminEnv>, ownerId: PersonId): Promise<void> {
  await reachKeys(await keysOfOwner(context.env.DB, ownerId), reachOf(context));
}
