/** What a deployment says of the directory and the provider that people sign in with. Pure. */
import { z } from "zod";
import { DEFAULT_ROLES, parseRoleMap, type DefaultRole, type RoleMap } from "./role-map.ts";

const roleMap = (separator: RegExp) =>
  z
    .string()
    .max(20_000)
    .transform((text, issues): RoleMap => {
      try {
        return parseRoleMap(text, separator);
      } catch (error) {
        issues.addIssue({ code: "custom", message: error instanceof Error ? error.message : "is malformed" });
        return z.NEVER;
      }
    });

/** RFC 4512, section 2.5: a name or an OID, perhaps with options. */
const attribute = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.;-]{0,99}$/, "must be an attribute's name");
const dn = z.string().min(3).max(1000);
const secret = z.string().min(1).max(1000);
const filterWith = (placeholder: string) =>
  z
    .string()
    .max(2000)
    .regex(/^\(.*\)$/, "must be a filter in parentheses")
    .includes(placeholder, { error: `must contain ${placeholder}` });

export const USERNAME_PLACEHOLDER = "{{username}}";
export const DN_PLACEHOLDER = "{{dn}}";

/** All optional; which must be there together is what `directoryProblems` says. */
export const ldapVariables = {
  /** `ldaps://host:port`. */
  LDAP_URL: z.url({ protocol: /^ldaps?$/, error: "must be ldaps://host or ldaps://host:port" }).optional(),
  /** Whom the relay searches as. */
  LDAP_BIND_DN: dn.optional(),
  LDAP_BIND_PASSWORD: secret.optional(),
  LDAP_SEARCH_BASE: dn.optional(),
  LDAP_SEARCH_FILTER: filterWith(USERNAME_PLACEHOLDER).optional(),
  LDAP_USERNAME_ATTRIBUTE: attribute.optional(),
  LDAP_NAME_ATTRIBUTE: attribute.optional(),
  LDAP_EMAIL_ATTRIBUTE: attribute.optional(),
  /** Of a person's entry: the groups they are in. */
  LDAP_GROUP_ATTRIBUTE: attribute.optional(),
  /** Where groups are searched instead. */
  LDAP_GROUP_SEARCH_BASE: dn.optional(),
  LDAP_GROUP_SEARCH_FILTER: filterWith(DN_PLACEHOLDER).optional(),
  LDAP_GROUP_ROLES: roleMap(/[;\n]/).optional(),
  LDAP_DEFAULT_ROLE: z.enum(DEFAULT_ROLES).optional(),
  /** Until everything that is asked over one connection must be answered, in ms. */
  LDAP_TIMEOUT_MS: z.coerce.number().int().min(100).max(60_000).optional(),
};

export const oidcVariables = {
  OIDC_ISSUER: z.url({ protocol: /^https?$/, error: "must be the provider's address" }).optional(),
  OIDC_CLIENT_ID: z.string().min(1).max(500).optional(),
  /** Without it the relay is a public client. */
  OIDC_CLIENT_SECRET: secret.optional(),
  OIDC_SCOPES: z
    .string()
    .max(1000)
    .refine((scopes) => scopes.split(" ").includes("openid"), "must contain openid")
    .optional(),
  /** What the button on the sign-in page says. */
  OIDC_LABEL: z.string().trim().min(1).max(60).optional(),
  OIDC_ROLE_CLAIM: z.string().min(1).max(200).optional(),
  OIDC_ROLES: roleMap(/[,;\n]/).optional(),
  OIDC_DEFAULT_ROLE: z.enum(DEFAULT_ROLES).optional(),
  OIDC_USERNAME_CLAIM: z.string().min(1).max(200).optional(),
};

export type SignInVariables = Readonly<z.infer<z.ZodObject<typeof ldapVariables & typeof oidcVariables>>>;
type Name = keyof SignInVariables;

const LDAP_NEEDED = ["LDAP_URL", "LDAP_BIND_DN", "LDAP_BIND_PASSWORD", "LDAP_SEARCH_BASE"] as const;
const OIDC_NEEDED = ["OIDC_ISSUER", "OIDC_CLIENT_ID"] as const;

export interface Problem {
  readonly name: string;
  readonly message: string;
}

/** Half a configuration must not be taken for none: people would be refused, and nobody would know why. */
function missing(
  variables: SignInVariables,
  known: Readonly<Record<string, unknown>>,
  needed: readonly Name[],
): Problem[] {
  const given = Object.keys(known).find((name) => variables[name as Name] !== undefined);
  if (given === undefined) return [];
  return needed
    .filter((name) => variables[name] === undefined)
    .map((name) => ({ name, message: `is missing beside ${given}` }));
}

/** What is wrong with the variables together. */
export function signInProblems(variables: SignInVariables, allowPrivate: boolean): Problem[] {
  const problems = [
    ...missing(variables, ldapVariables, LDAP_NEEDED),
    ...missing(variables, oidcVariables, OIDC_NEEDED),
  ];
  const pair = (one: Name, other: Name) => {
    if (variables[one] !== undefined && variables[other] === undefined)
      problems.push({ name: other, message: `is missing beside ${one}` });
  };
  pair("OIDC_ROLES", "OIDC_ROLE_CLAIM");
  pair("OIDC_ROLE_CLAIM", "OIDC_ROLES");
  pair("LDAP_GROUP_SEARCH_FILTER", "LDAP_GROUP_SEARCH_BASE");
  // Passwords and tokens go there.
  if (variables.LDAP_URL?.startsWith("ldap:") === true && !allowPrivate)
    problems.push({ name: "LDAP_URL", message: "must begin with ldaps://" });
  if (variables.OIDC_ISSUER?.startsWith("http:") === true && !allowPrivate)
    problems.push({ name: "OIDC_ISSUER", message: "must begin with https://" });
  return problems;
}

export interface LdapSettings {
  readonly url: string;
  readonly bindDn: string;
  readonly bindPassword: string;
  readonly searchBase: string;
  readonly searchFilter: string;
  readonly attributes: { readonly username: string; readonly name: string; readonly email: string };
  readonly groups:
    | { readonly kind: "attribute"; readonly attribute: string }
    | { readonly kind: "search"; readonly base: string; readonly filter: string };
  /** null: groups are not looked at. */
  readonly roles: RoleMap | null;
  readonly defaultRole: DefaultRole;
  readonly timeoutMs: number;
  readonly allowPrivate: boolean;
}

/** @returns null where there is no directory */
export function ldapSettings(variables: SignInVariables, allowPrivate: boolean): LdapSettings | null {
  const { LDAP_URL: url, LDAP_BIND_DN: bindDn, LDAP_BIND_PASSWORD: bindPassword } = variables;
  const { LDAP_SEARCH_BASE: searchBase, LDAP_GROUP_SEARCH_BASE: groupBase } = variables;
  if (url === undefined || bindDn === undefined) return null;
  if (bindPassword === undefined || searchBase === undefined) return null;
  return {
    url,
    bindDn,
    bindPassword,
    searchBase,
    searchFilter: variables.LDAP_SEARCH_FILTER ?? `(uid=${USERNAME_PLACEHOLDER})`,
    attributes: {
      username: variables.LDAP_USERNAME_ATTRIBUTE ?? "uid",
      name: variables.LDAP_NAME_ATTRIBUTE ?? "cn",
      email: variables.LDAP_EMAIL_ATTRIBUTE ?? "mail",
    },
    groups:
      groupBase === undefined
        ? { kind: "attribute", attribute: variables.LDAP_GROUP_ATTRIBUTE ?? "memberOf" }
        : {
            kind: "search",
            base: groupBase,
            filter: variables.LDAP_GROUP_SEARCH_FILTER ?? `(member=${DN_PLACEHOLDER})`,
          },
    roles: variables.LDAP_GROUP_ROLES ?? null,
    defaultRole: variables.LDAP_DEFAULT_ROLE ?? "user",
    timeoutMs: variables.LDAP_TIMEOUT_MS ?? 5000,
    allowPrivate,
  };
}

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** null: a public client. */
  readonly clientSecret: string | null;
  readonly scopes: string;
  readonly label: string;
  /** null: claims give no role. */
  readonly roles: { readonly claim: string; readonly map: RoleMap } | null;
  readonly defaultRole: DefaultRole;
  /** In the order in which they are asked for a user name. */
  readonly usernameClaims: readonly string[];
  readonly allowPrivate: boolean;
}

/** @returns null where there is no provider */
export function oidcSettings(variables: SignInVariables, allowPrivate: boolean): OidcSettings | null {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId } = variables;
  const { OIDC_ROLE_CLAIM: claim, OIDC_ROLES: map, OIDC_USERNAME_CLAIM: usernameClaim } = variables;
  if (issuer === undefined || clientId === undefined) return null;
  return {
    issuer,
    clientId,
    clientSecret: variables.OIDC_CLIENT_SECRET ?? null,
    scopes: variables.OIDC_SCOPES ?? "openid profile email",
    label: variables.OIDC_LABEL ?? "Single sign-on",
    roles: claim === undefined || map === undefined ? null : { claim, map },
    defaultRole: variables.OIDC_DEFAULT_ROLE ?? "user",
    usernameClaims: usernameClaim === undefined ? ["preferred_username", "email", "sub"] : [usernameClaim],
    allowPrivate,
  };
}
