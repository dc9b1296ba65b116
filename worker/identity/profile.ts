/** A person as whoever they signed in with describes them, and what becomes of it here. Pure. */
import type { EpochMs, PersonId } from "../domain/ids.ts";
import type { Person, Role } from "../domain/person.ts";
import type { GrantedRole } from "../domain/role-map.ts";

export interface Profile {
  readonly source: "ldap" | "oidc";
  /** Who it is for good; a name may change hands. */
  readonly subject: string;
  readonly username: string;
  /** Empty where there is none. */
  readonly name: string;
  readonly email: string;
  readonly role: GrantedRole;
}

/** How many keys a person may make until an owner says otherwise. */
const KEYS_MAX = 5;

interface Beginning {
  readonly id: PersonId;
  readonly now: EpochMs;
  readonly role: Role;
}

/** Somebody who signs in for the first time. */
export const newPersonOf = (
  { username, name, email, source }: Profile,
  { id, now, role }: Beginning,
): Person => ({
  id,
  username,
  name,
  email,
  role,
  source,
  keysMax: KEYS_MAX,
  dailyCost: 0,
  weeklyCost: 0,
  totalCost: 0,
  enabled: true,
  createdAt: now,
  updatedAt: now,
  lastLoginAt: now,
});

/** The person with what is new; what the other side does not say stays as it is. */
export function refreshed(person: Person, { name, email, role }: Profile, now: EpochMs): Person {
  const next = {
    name: name === "" ? person.name : name,
    email: email === "" ? person.email : email,
    role: role.kind === "mapped" ? role.role : person.role,
  };
  const isChanged = next.name !== person.name || next.email !== person.email || next.role !== person.role;
  return { ...person, ...next, updatedAt: isChanged ? now : person.updatedAt, lastLoginAt: now };
}
