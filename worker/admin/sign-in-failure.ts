/** Writes down who failed to sign in, without helping whoever reads it to do so. */
import type { AuditAction } from "../domain/audit.ts";
import { RelayError, type RelayErrorCode } from "../domain/errors.ts";
import { firstOwner } from "../domain/person.ts";
import type { Env } from "../env.ts";
import { isNoted, withEntry } from "../storage/audit.ts";
import { findPersonNamed } from "../storage/people.ts";
import { logOf, noteOf } from "./audited.ts";
import type { SignIn } from "./sign-in.ts";

/** A name nobody has may be a password that was typed into the wrong field. */
const UNKNOWN = "unknown";

/** Whoever goes on guessing from one address is written down once in this time. */
const THROTTLED_ONCE_MS = 60 * 60_000;

const ACTIONS: Partial<Record<RelayErrorCode, AuditAction>> = {
  unauthenticated: "session.refuse",
  rate_limited: "session.throttle",
};

async function targetOf(env: Env, username: string): Promise<string> {
  // Asked whoever it is: how long a refusal takes must not tell who is known.
  const stored = await findPersonNamed(env.DB, username);
  if (username === env.ADMIN_USERNAME) return firstOwner(username).id;
  return stored?.person.id ?? UNKNOWN;
}

export async function noteFailure(
  env: Env,
  { username, address }: Pick<SignIn, "username" | "address">,
  error: unknown,
): Promise<void> {
  const action = error instanceof RelayError ? ACTIONS[error.code] : undefined;
  if (action === undefined) return;
  const note = noteOf({ id: null, name: UNKNOWN }, action, await targetOf(env, username), {
    after: { address },
  });
  const since = note.at - THROTTLED_ONCE_MS;
  const isNew = async () => action !== "session.throttle" || !(await isNoted(env.DB, note, since));
  await withEntry(await logOf(env), note, isNew)([]);
}
