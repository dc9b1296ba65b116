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

/** The relay, as the provider knows it. */
export const CLIENT = {
  id: "edge-relay",
  secret: "client-secret-of-the-tests",
  redirectUri: "https://relay.test/admin/oidc/callback",
} as const;

/** What a provider's tenant says of whoever signs in, and where it lies. */
export interface Tenant {
  readonly claims: Readonly<Record<string, unknown>>;
  /** With it, there is a place where these are asked for. */
  readonly userinfo?: Readonly<Record<string, unknown>>;
  readonly alg?: "ES256" | "RS256";
  /** How the client must say who it is; basic, without saying so, when absent. */
  readonly authentication?: "basic" | "post" | "none";
  readonly lie?:
    | "honest"
    | "nonce"
    | "no-nonce"
    | "audience"
    | "issuer"
    | "expired"
    | "alg-none"
    | "alg-hs256"
    | "foreign-key"
    | "changed-claims"
    | "denied";
}
