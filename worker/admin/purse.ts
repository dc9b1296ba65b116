/** What all keys of a person may cost together: kept by an object of its own, which follows what is entered. */
import type { Context } from "hono";
import type { LimitStatus } from "../domain/key.ts";
import type { Person } from "../domain/person.ts";
import { hasPurse, purseConfig, purseOf } from "../domain/purse.ts";
import { holdsAfter, publishDirectory, type AdminEnv } from "./context.ts";
import { keyObject } from "./objects.ts";

/** Around the change itself: the object knows first, the edge asks it last. */
export async function withPurse(
  context: Context<AdminEnv>,
  { before, after }: { readonly before: Person | null; readonly after: Person },
  change: () => Promise<void>,
): Promise<void> {
  const concerns = hasPurse(after) || (before !== null && hasPurse(before));
  if (concerns)
    holdsAfter(context, await keyObject(context.env, purseOf(after.id)).configure(purseConfig(after)));
  await change();
  if (concerns) await publishDirectory(context);
}

/** Every limit that the person has, and how far it is used. */
export async function spendingOf(
  { env }: Context<AdminEnv>,
  { id }: Person,
): Promise<readonly LimitStatus[]> {
  const status = await keyObject(env, purseOf(id)).status();
  return status?.limits ?? [];
}
