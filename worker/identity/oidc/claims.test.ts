import { describe, expect, it } from "vitest";
import { oidcSettings } from "../../domain/sign-in-settings.ts";
import { claimAt, profileOf, type Claims } from "./claims.ts";

const settings = oidcSettings({ OIDC_ISSUER: "https://sso.example.org", OIDC_CLIENT_ID: "relay" }, false);
const profile = (claims: Claims) => settings && profileOf(claims, settings);

describe("profileOf", () => {
  it("names a person by issuer and subject", () => {
    const claims = { sub: "1|2", preferred_username: "ada", name: "Ada", email: "ada@example.org" };
    expect(profile(claims)).toEqual({
      source: "oidc",
      subject: "oidc https://sso.example.org 1|2",
      username: "ada",
      name: "Ada",
      email: "ada@example.org",
      role: { kind: "initial", role: "user" },
    });
  });

  it.each([
    [{ email: "ada@example.org" }, "ada@example.org"],
    [{ preferred_username: "Ada Lovelace", email: "ada@example.org" }, "ada@example.org"],
    [{ email: "ada@example.org", email_verified: false }, "auth0-123"],
    [{ preferred_username: 7, email: ["x"] }, "auth0-123"],
  ])("of %j is called %s", (claims, username) => {
    expect(profile({ sub: "auth0|123", ...claims })?.username).toBe(username);
  });

  it("believes no address that the provider says nobody has shown to be theirs", () => {
    expect(profile({ sub: "ab", email: "boss@example.org", email_verified: false })?.email).toBe("");
  });

  it.each([{}, { sub: "" }, { sub: 7, preferred_username: "ada" }, { sub: "||" }])(
    "makes nobody of %j",
    (claims) => {
      expect(profile(claims)).toBeNull();
    },
  );
});

describe("claimAt", () => {
  it("looks for the whole name first, then inside", () => {
    const claims = { "https://example.org/roles": "x", a: { b: { c: ["y"] } }, "a.b": "z" };
    expect(claimAt(claims, "https://example.org/roles")).toBe("x");
    expect(claimAt(claims, "a.b")).toBe("z");
    expect(claimAt(claims, "a.b.c")).toEqual(["y"]);
  });

  it.each(["x", "a.x", "a.b.c.d", "constructor", "__proto__.x", "a.constructor.name"])(
    "finds no %s",
    (path) => {
      expect(claimAt({ a: { b: "c" } }, path)).toBeUndefined();
    },
  );
});
