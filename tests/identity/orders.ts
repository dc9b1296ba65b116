/** What tests ask of the directory and the provider that people sign in with; plain types, for both sides of the wire. */

export const BASE = "dc=example,dc=org";
export const PEOPLE = `ou=people,${BASE}`;
export const GROUPS = `ou=groups,${BASE}`;
/** Whom the relay searches as. */
export const SERVICE = { dn: `cn=relay,${BASE}`, password: "service-password-ä:1" } as const;

/** Where the directory is. */
export interface Directory {
  readonly ldapsPort: number;
  /** The same without TLS. */
  readonly ldapPort: number;
  /** The same behind a certificate of an authority that nobody trusts. */
  readonly foreignPort: number;
}
