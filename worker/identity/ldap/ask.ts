/** Asks the directory whether a name and a password belong together, and who that is. */
import { toHex } from "../../domain/encoding.ts";
import { usernameSchema } from "../../domain/person.ts";
import { grantedRole } from "../../domain/role-map.ts";
import { DN_PLACEHOLDER, USERNAME_PLACEHOLDER, type LdapSettings } from "../../domain/sign-in-settings.ts";
import type { Profile } from "../profile.ts";
import { withConnection, type Connection } from "./connection.ts";
import { DirectoryError } from "./directory-error.ts";
import { factsOf, namesOfGroup, valuesOf, type Entry } from "./entry.ts";
import { fillIn } from "./filter.ts";

/** Groups of one person; more are not looked at. */
const GROUPS_MAX = 1000;
/** One more than there may be. */
const PEOPLE_MAX = 2;

export interface Found {
  readonly dn: string;
  readonly profile: Profile;
  /** What the person's groups may be called in LDAP_GROUP_ROLES. */
  readonly groups: readonly string[];
}

/** How many entries have the name: only one will do. */
export type Lookup =
  { readonly kind: "found"; readonly found: Found } | { readonly kind: "none" | "several" | "unusable" };

async function groupsOf(connection: Connection, settings: LdapSettings, entry: Entry): Promise<string[]> {
  const { groups, roles } = settings;
  if (roles === null) return [];
  if (groups.kind === "attribute") return valuesOf(entry, groups.attribute).flatMap(namesOfGroup);
  const found = await connection.search({
    base: groups.base,
    filter: fillIn(groups.filter, DN_PLACEHOLDER, entry.dn),
    // No attributes at all (RFC 4511, section 4.5.1.8): their DNs are enough.
    attributes: ["1.1"],
    entriesMax: GROUPS_MAX,
  });
  return found.flatMap(({ dn }) => namesOfGroup(dn));
}

/** @param connection bound as the relay */
async function findPerson(connection: Connection, settings: LdapSettings, username: string): Promise<Lookup> {
  const { attributes, groups } = settings;
  const people = await connection.search({
    base: settings.searchBase,
    filter: fillIn(settings.searchFilter, USERNAME_PLACEHOLDER, username),
    attributes: [...Object.values(attributes), ...(groups.kind === "attribute" ? [groups.attribute] : [])],
    entriesMax: PEOPLE_MAX,
  });
  const [entry] = people;
  if (entry === undefined) return { kind: "none" };
  if (people.length > 1) return { kind: "several" };
  const facts = factsOf(entry, attributes);
  if (facts === null) return { kind: "unusable" };
  const names = await groupsOf(connection, settings, entry);
  const profile: Profile = {
    ...facts,
    source: "ldap",
    subject: `ldap ${facts.username.toLowerCase()}`,
    role: grantedRole(names, settings.roles, settings.defaultRole),
  };
  return { kind: "found", found: { dn: entry.dn, profile, groups: names } };
}

/**
 * Looks somebody up as the relay itself.
 *
 * @param username null: only whether the relay may search is asked
 * @throws DirectoryError when the directory cannot be asked
 */
export async function lookUp(settings: LdapSettings, username: string | null): Promise<Lookup | null> {
  return withConnection(settings, async (connection) => {
    if (!(await connection.bind(settings.bindDn, settings.bindPassword))) {
      throw new DirectoryError(
        "The directory refused the relay itself. Check LDAP_BIND_DN and LDAP_BIND_PASSWORD.",
      );
    }
    return username === null ? null : findPerson(connection, settings, username);
  });
}

/** Of nobody: that the password of an unknown name is asked about, too, makes both take their time. */
const dnOfNobody = ({ searchBase }: LdapSettings): string =>
  `cn=${toHex(crypto.getRandomValues(new Uint8Array(8)))},${searchBase}`;

/**
 * @returns null when they do not belong together, or nobody is called that
 * @throws DirectoryError when the directory cannot be asked
 */
export async function askDirectory(
  settings: LdapSettings,
  username: string,
  password: string,
): Promise<Profile | null> {
  const name = usernameSchema.safeParse(username);
  if (!name.success || name.data !== username || password === "") return null;
  const lookup = await lookUp(settings, username);
  const found = lookup?.kind === "found" ? lookup.found : null;
  const isRight = await withConnection(settings, (connection) =>
    connection.bind(found?.dn ?? dnOfNobody(settings), password),
  );
  return isRight && found !== null ? found.profile : null;
}
