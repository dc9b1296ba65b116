import { describe, expect, it } from "vitest";
import { ldapOf, networkOf, oidcOf, parseEnv } from "./env.ts";

const ENV = {
  KV: {},
  DB: {},
  KEYS: {},
  ACCOUNTS: {},
  NOTIFIER: {},
  CAPTURES: {},
  FEED: {},
  PROXIES: {},
  ENCRYPTION_KEYS: "k:x",
  SESSION_SECRET: "s".repeat(32),
  ADMIN_PASSWORD: "password",
};
const TOKEN = "t".repeat(32);

describe("PRICES_URL", () => {
  it("is the public list, another address, or off", () => {
    expect(parseEnv({ ...ENV }).PRICES_URL).toMatch(/^https:\/\/raw\.githubusercontent\.com\/.+\.json$/);
    for (const PRICES_URL of ["off", "https://prices.example/list.json"]) {
      expect(parseEnv({ ...ENV, PRICES_URL }).PRICES_URL).toBe(PRICES_URL);
    }
  });

  it.each(["", "on", "ftp://prices.example/", "file:///etc/passwd"])("is not %j", (PRICES_URL) => {
    expect(() => parseEnv({ ...ENV, PRICES_URL })).toThrow("PRICES_URL: must be an address, or off");
  });
});

describe("the egress forwarder in the environment", () => {
  it("is absent, or whole", () => {
    expect(networkOf(parseEnv({ ...ENV }))).toEqual({ allowPrivate: false, egress: null });
    const whole = { ...ENV, EGRESS_URL: "https://egress.example/", EGRESS_TOKEN: TOKEN };
    expect(networkOf(parseEnv(whole)).egress).toEqual({ url: "https://egress.example/", token: TOKEN });
  });

  it.each([
    [{ EGRESS_URL: "https://egress.example/" }, "EGRESS_TOKEN: is missing beside EGRESS_URL"],
    [{ EGRESS_TOKEN: TOKEN }, "EGRESS_URL: is missing beside EGRESS_TOKEN"],
    [{ EGRESS_URL: "http://egress.example/", EGRESS_TOKEN: TOKEN }, "EGRESS_URL: must begin with https://"],
    [{ EGRESS_URL: "egress.example", EGRESS_TOKEN: TOKEN }, "EGRESS_URL: must be the forwarder's address"],
    [{ EGRESS_URL: "https://egress.example/", EGRESS_TOKEN: "short" }, "EGRESS_TOKEN: "],
  ])("must not be there by half: %j", (egress, message) => {
    expect(() => parseEnv({ ...ENV, ...egress })).toThrow(message);
  });
});

describe("a directory in the environment", () => {
  const WHOLE = {
    LDAP_URL: "ldaps://ldap.example.org",
    LDAP_BIND_DN: "cn=relay,dc=example",
    LDAP_BIND_PASSWORD: "its password",
    LDAP_SEARCH_BASE: "dc=example",
  };

  it("is absent, or whole, with what most directories need by default", () => {
    expect(ldapOf(parseEnv({ ...ENV }))).toBeNull();
    expect(ldapOf(parseEnv({ ...ENV, ...WHOLE }))).toMatchObject({
      searchFilter: "(uid={{username}})",
      groups: { kind: "attribute", attribute: "memberOf" },
      roles: null,
      defaultRole: "user",
      timeoutMs: 5000,
    });
  });

  it.each(Object.keys(WHOLE))("is not taken for none without %s", (name) => {
    const half = Object.fromEntries(Object.entries(WHOLE).filter(([each]) => each !== name));
    expect(() => parseEnv({ ...ENV, ...half })).toThrow(`${name}: is missing beside LDAP_`);
  });

  it.each([
    [{ LDAP_URL: "ldap://ldap.example.org" }, "LDAP_URL: must begin with ldaps://"],
    [{ LDAP_URL: "https://ldap.example.org" }, "LDAP_URL: must be ldaps://"],
    [{ LDAP_SEARCH_FILTER: "(uid=ada)" }, "LDAP_SEARCH_FILTER: must contain {{username}}"],
    [{ LDAP_SEARCH_FILTER: "uid={{username}}" }, "LDAP_SEARCH_FILTER: must be a filter in parentheses"],
    [{ LDAP_GROUP_ROLES: "admins=god" }, 'LDAP_GROUP_ROLES: "admins=god" must be group=role'],
    [{ LDAP_DEFAULT_ROLE: "owner" }, "LDAP_DEFAULT_ROLE: "],
    [{ LDAP_GROUP_SEARCH_FILTER: "(member={{dn}})" }, "LDAP_GROUP_SEARCH_BASE: is missing beside"],
    [{ LDAP_TIMEOUT_MS: "1" }, "LDAP_TIMEOUT_MS: "],
    [{ LDAP_NAME_ATTRIBUTE: "cn)(x=*" }, "LDAP_NAME_ATTRIBUTE: must be an attribute's name"],
  ])("is refused with %j, and no value but a mapping is said", (wrong, message) => {
    const parse = () => parseEnv({ ...ENV, ...WHOLE, ...wrong });
    expect(parse).toThrow(message);
    expect(parse).not.toThrow(WHOLE.LDAP_BIND_PASSWORD);
  });
});

describe("an OpenID provider in the environment", () => {
  const WHOLE = { OIDC_ISSUER: "https://sso.example.org", OIDC_CLIENT_ID: "relay" };

  it("is absent, or whole", () => {
    expect(oidcOf(parseEnv({ ...ENV }))).toBeNull();
    expect(oidcOf(parseEnv({ ...ENV, ...WHOLE }))).toMatchObject({ clientSecret: null, roles: null });
  });

  it.each([
    [{ OIDC_ISSUER: undefined }, "OIDC_ISSUER: is missing beside OIDC_CLIENT_ID"],
    [{ OIDC_CLIENT_ID: undefined }, "OIDC_CLIENT_ID: is missing beside OIDC_ISSUER"],
    [{ OIDC_ISSUER: "http://sso.example.org" }, "OIDC_ISSUER: must begin with https://"],
    [{ OIDC_SCOPES: "profile" }, "OIDC_SCOPES: must contain openid"],
    [{ OIDC_ROLES: "a=admin" }, "OIDC_ROLE_CLAIM: is missing beside OIDC_ROLES"],
    [{ OIDC_ROLE_CLAIM: "groups" }, "OIDC_ROLES: is missing beside OIDC_ROLE_CLAIM"],
    [{ OIDC_DEFAULT_ROLE: "owner" }, "OIDC_DEFAULT_ROLE: "],
  ])("is refused with %j", (wrong, message) => {
    expect(() => parseEnv({ ...ENV, ...WHOLE, ...wrong })).toThrow(message);
  });
});
