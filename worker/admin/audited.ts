/** Writes down who changed what, in the same transaction as the change. */
import type { Context } from "hono";
import { written, type Actor, type AuditAction, type AuditNote, type Change } from "../domain/audit.ts";
import type { Person } from "../domain/person.ts";
import type { Env } from "../env.ts";
import { parseAuditKeys } from "../storage/audit-hash.ts";
import { withEntries, withEntry } from "../storage/audit.ts";
import type { Commit } from "../storage/commit.ts";
import type { AdminEnv } from "./context.ts";

export const actorOf = ({ id, username }: Person): Actor => ({ id, name: username });

export const logOf = async (env: Env) => ({
  db: env.DB,
  keys: await parseAuditKeys(env.ENCRYPTION_KEYS),
});

export const noteOf = (
  actor: Actor,
  action: AuditAction,
  target: string,
  change: Change = {},
): AuditNote => ({ at: Date.now(), actor, action, target, ...written(change) });

/**
 * What commits a change together with its entry. Secrets stay out of `change`; `MASKED` says that one was given.
 *
 * @example await saveKey(context.env.DB, key, audited(context, "key.update", key.id, { before, after }));
 */
export const audited =
  (context: Context<AdminEnv>, action: AuditAction, target: string, change: Change = {}): Commit =>
  async (statements) =>
    withEntry(
      await logOf(context.env),
      noteOf(actorOf(context.get("person")), action, target, change),
    )(statements);

/** The entry of something that D1 has no part in, once it is done. */
export async function noted(
  context: Context<AdminEnv>,
  action: AuditAction,
  target: string,
  change: Change = {},
): Promise<void> {
  await audited(context, action, target, change)([]);
}

export interface Noted {
  readonly target: string;
  readonly change: Change;
}

/** What commits the same change to many things, each with an entry of its own. */
export const auditedAll =
  (context: Context<AdminEnv>, action: AuditAction, changes: readonly Noted[]): Commit =>
  async (statements) => {
    const actor = actorOf(context.get("person"));
    const notes = changes.map(({ target, change }) => noteOf(actor, action, target, change));
    return withEntries(await logOf(context.env), notes)(statements);
  };
