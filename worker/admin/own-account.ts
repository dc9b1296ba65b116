/** What people change of themselves, wherever they ask for it. */
import type { Context } from "hono";
import { z } from "zod";
import { MASKED } from "../domain/audit.ts";
import { RelayError } from "../domain/errors.ts";
import { FIRST_OWNER_ID, personPatchSchema, type Person } from "../domain/person.ts";
import { findPerson, saveOwnFields } from "../storage/people.ts";
import { factorsOf } from "../storage/second-factors.ts";
import { audited } from "./audited.ts";
import { notFound, type AdminEnv } from "./context.ts";
import { hashPassword, isPassword } from "./password.ts";
import { countProof } from "./second-step.ts";
import { isSame } from "./sign-in.ts";
import { forgiveTry } from "../storage/login-attempts.ts";

export const ownPatchSchema = personPatchSchema
  .pick({ name: true, email: true, password: true })
  .extend({ currentPassword: z.string().max(1000).optional() })
  .refine(
    ({ password, currentPassword }) => password === undefined || currentPassword !== undefined,
    "currentPassword: is needed for a new password",
  );
export type OwnPatch = z.output<typeof ownPatchSchema>;

/** A person as they see themselves. */
export async function meOf({ env }: Context<AdminEnv>, person: Person) {
  const { id, username, name, email, role, source, keysMax } = person;
  return { id, username, name, email, role, source, keysMax, secondFactors: await factorsOf(env.DB, id) };
}

/** Whether it is the person's own password; every try is counted. @throws RelayError `rate_limited` */
export async function isOwnPassword({ env }: Context<AdminEnv>, id: Person["id"], password: string) {
  const subject = await countProof(env, id, Date.now());
  const isRight =
    id === FIRST_OWNER_ID
      ? await isSame(password, env.ADMIN_PASSWORD)
      : await isPassword(password, (await findPerson(env.DB, id))?.password ?? null);
  if (isRight) await forgiveTry(env.DB, [subject]);
  return isRight;
}

async function newPassword(context: Context<AdminEnv>, { password, currentPassword = "" }: OwnPatch) {
  if (password === undefined) return undefined;
  const { id, source } = context.get("person");
  if (source !== "local") {
    throw new RelayError("invalid_request", "password: is kept where you sign in, not here");
  }
  if (!(await isOwnPassword(context, id, currentPassword))) {
    throw new RelayError("invalid_request", "currentPassword: is wrong");
  }
  return hashPassword(password);
}

/** @throws RelayError `invalid_request` or `rate_limited` */
export async function changeMe(context: Context<AdminEnv>, patch: OwnPatch) {
  const { DB } = context.env;
  const before = context.get("person");
  if (before.id === FIRST_OWNER_ID) {
    throw new RelayError(
      "invalid_request",
      "The deployment's variables ADMIN_USERNAME and ADMIN_PASSWORD hold this account: change them there.",
    );
  }
  const password = await newPassword(context, patch);
  const own = { name: patch.name, email: patch.email };
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  const after = { ...before, ...given, ...(password === undefined ? {} : { password: MASKED }) };
  const commit = audited(context, "person.update", before.id, { before, after });
  const session = context.get("session");
  await saveOwnFields(DB, { ...own, password, id: before.id, session, now: Date.now() }, commit);
  const stored = await findPerson(DB, before.id);
  if (stored === null) throw notFound();
  return meOf(context, stored.person);
}
