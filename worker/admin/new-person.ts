/** A person in the making, whoever makes them. */
import { RelayError } from "../domain/errors.ts";
import { newPersonId } from "../domain/ids.ts";
import type { Person, PersonInput } from "../domain/person.ts";
import type { Env } from "../env.ts";

/** The name that the variables give away; D1 does not know it. */
export const isFirstOwner = ({ ADMIN_USERNAME }: Env, username: string): boolean =>
  username.toLowerCase() === ADMIN_USERNAME.toLowerCase();

export const nameTaken = () => new RelayError("conflict", "username: is taken");

export const newPerson = (fields: Omit<PersonInput, "password">, now: number): Person => ({
  ...fields,
  id: newPersonId(now, crypto.getRandomValues(new Uint8Array(16))),
  source: "local",
  createdAt: now,
  updatedAt: now,
  lastLoginAt: null,
});
