/** Lets in whom the directory or the provider vouches for: a person is made at the first sign-in, and kept up after. */
import { newPersonId } from "../domain/ids.ts";
import { firstOwner, type Person } from "../domain/person.ts";
import type { Env } from "../env.ts";
import { newPersonOf, refreshed, type Profile } from "../identity/profile.ts";
import { withEntry } from "../storage/audit.ts";
import {
  addPerson,
  closeSessionsOf,
  findPersonBySubject,
  noteLogin,
  saveProfile,
  type StoredPerson,
} from "../storage/people.ts";
import { actorOf, logOf, noteOf } from "./audited.ts";

export type Admission =
  | { readonly kind: "admitted"; readonly person: Person }
  | {
      readonly kind: "refused";
      readonly reason: "disabled" | "name_taken" | "no_role";
      /** Whom it is about, where there is such a person. */
      readonly person: Person | null;
    };

export async function admit(env: Env, profile: Profile, now: number): Promise<Admission> {
  const stored = await findPersonBySubject(env.DB, profile.subject);
  return stored === null ? admitNew(env, profile, now) : admitKnown(env, stored, profile, now);
}

async function admitNew(env: Env, profile: Profile, now: number): Promise<Admission> {
  const { role, username, subject } = profile;
  if (role.kind === "none") return { kind: "refused", reason: "no_role", person: null };
  const taken: Admission = { kind: "refused", reason: "name_taken", person: null };
  if (isOwnersName(env, username)) return taken;
  const id = newPersonId(now, crypto.getRandomValues(new Uint8Array(16)));
  const person = newPersonOf(profile, { id, now, role: role.role });
  const note = noteOf(actorOf(person), "person.create", id, { after: person });
  const isAdded = await addPerson(
    env.DB,
    { person, password: null, subject },
    withEntry(await logOf(env), note),
  );
  if (isAdded) return { kind: "admitted", person };
  // Either somebody else has the name, or the same person came by another request a moment ago.
  const same = await findPersonBySubject(env.DB, subject);
  return same === null ? taken : admitKnown(env, same, profile, now);
}

/** The variables' own name is nobody else's, in whatever case. */
const isOwnersName = (env: Env, username: string): boolean =>
  username.toLowerCase() === firstOwner(env.ADMIN_USERNAME).username.toLowerCase();

async function admitKnown(
  env: Env,
  { person: before }: StoredPerson,
  profile: Profile,
  now: number,
): Promise<Admission> {
  if (!before.enabled) return { kind: "refused", reason: "disabled", person: before };
  if (profile.role.kind === "none") {
    await closeSessionsOf(env.DB, before.id);
    return { kind: "refused", reason: "no_role", person: before };
  }
  const person = refreshed(before, profile, now);
  if (person.updatedAt === before.updatedAt) await noteLogin(env.DB, person.id, now);
  else {
    const note = noteOf(actorOf(person), "person.update", person.id, { before, after: person });
    await saveProfile(env.DB, person, withEntry(await logOf(env), note));
  }
  return { kind: "admitted", person };
}
