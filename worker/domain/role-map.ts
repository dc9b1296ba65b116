/** Which role the groups of a directory, or the claims of a sign-in, come to. Pure. */
import { z } from "zod";
import { hasRole, ROLES, type Role } from "./person.ts";

/** By the group's name or DN, in lower case: directories do not tell cases apart. */
export type RoleMap = ReadonlyMap<string, Role>;

const ENTRIES_MAX = 200;
const role = z.enum(ROLES);

/**
 * `group=role`, several of them. The role is behind the last `=`, since a group may be named by its DN.
 *
 * @throws Error that says which entry is wrong
 */
export function parseRoleMap(text: string, separator: RegExp): RoleMap {
  const entries = text
    .split(separator)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  if (entries.length === 0 || entries.length > ENTRIES_MAX) {
    throw new Error(`must have 1 to ${String(ENTRIES_MAX)} entries like group=role`);
  }
  return new Map(entries.map(parseEntry));
}

function parseEntry(entry: string): [string, Role] {
  const at = entry.lastIndexOf("=");
  const group = entry.slice(0, Math.max(0, at)).trim();
  const named = role.safeParse(entry.slice(at + 1).trim());
  if (group === "" || !named.success) {
    throw new Error(`"${entry}" must be group=role, with one of the roles ${ROLES.join(", ")}`);
  }
  return [group.toLowerCase(), named.data];
}

/** The highest role of those that the groups have; null: none of them has any. */
export function roleOf(groups: readonly string[], map: RoleMap): Role | null {
  const roles = groups
    .map((group) => map.get(group.trim().toLowerCase()))
    .filter((each) => each !== undefined);
  return roles.reduce<Role | null>(
    (highest, each) => (highest === null || hasRole(each, highest) ? each : highest),
    null,
  );
}

/** What somebody is who is in no mapped group; `none`: not let in. Nobody becomes an owner by default. */
export const DEFAULT_ROLES = ["none", "user", "viewer", "admin"] as const;
export type DefaultRole = (typeof DEFAULT_ROLES)[number];

/** The role that a sign-in comes with. */
export type GrantedRole =
  /** The directory decides, at every sign-in. */
  | { readonly kind: "mapped"; readonly role: Role }
  /** There is no mapping: a person begins with it, and owners may change it. */
  | { readonly kind: "initial"; readonly role: Role }
  | { readonly kind: "none" };

/** @param map null: there is none */
export function grantedRole(
  groups: readonly string[],
  map: RoleMap | null,
  defaultRole: DefaultRole,
): GrantedRole {
  const mapped = map === null ? null : roleOf(groups, map);
  if (mapped !== null) return { kind: "mapped", role: mapped };
  if (defaultRole === "none") return { kind: "none" };
  return { kind: map === null ? "initial" : "mapped", role: defaultRole };
}
