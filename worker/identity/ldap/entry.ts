/** What an entry of the directory says of a person. Pure. */
import { z } from "zod";
import { usernameSchema } from "../../domain/person.ts";
import { nameSchema } from "../../domain/text.ts";
import type { LdapSettings } from "../../domain/sign-in-settings.ts";

/** An entry as it was found: values by attribute, whose names are in lower case. */
export interface Entry {
  readonly dn: string;
  readonly values: ReadonlyMap<string, readonly string[]>;
}

export interface EntryFacts {
  readonly username: string;
  /** Empty where the directory has none that can be used. */
  readonly name: string;
  readonly email: string;
}

export const valuesOf = ({ values }: Entry, attribute: string): readonly string[] =>
  values.get(attribute.toLowerCase()) ?? [];

const firstThatIs = (values: readonly string[], schema: z.ZodType<string>): string =>
  values.map((value) => schema.safeParse(value)).find(({ success }) => success)?.data ?? "";

/** @returns null when the entry has no name that a person can have here */
export function factsOf(entry: Entry, attributes: LdapSettings["attributes"]): EntryFacts | null {
  const username = firstThatIs(valuesOf(entry, attributes.username), usernameSchema);
  if (username === "") return null;
  return {
    username,
    name: firstThatIs(valuesOf(entry, attributes.name), nameSchema),
    email: firstThatIs(valuesOf(entry, attributes.email), z.email()),
  };
}

/** The value of a DN's first relative name: `admins` for `cn=admins,ou=groups`; null where it cannot be told. */
const firstName = (dn: string): string | null =>
  /^[a-z][a-z0-9.-]*=([^,+\\"]+)(?:,|$)/i.exec(dn)?.[1]?.trim() ?? null;

/** What a group may be called in the settings: its DN, or its own name. */
export const namesOfGroup = (dn: string): string[] => [dn, firstName(dn)].filter((name) => name !== null);
