/** What an OpenID provider's claims say of a person. Pure. */
import { z } from "zod";
import { usernameSchema } from "../../domain/person.ts";
import { grantedRole } from "../../domain/role-map.ts";
import type { OidcSettings } from "../../domain/sign-in-settings.ts";
import { nameSchema } from "../../domain/text.ts";
import type { Profile } from "../profile.ts";

export type Claims = Readonly<Record<string, unknown>>;
const claimsSchema = z.record(z.string(), z.unknown());

/** A claim by its name, or inside others by the names on the way: `realm_access.roles`. */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  const dot = path.indexOf(".");
  if (dot === -1) return undefined;
  const inner = claimsSchema.safeParse(
    Object.hasOwn(claims, path.slice(0, dot)) && claims[path.slice(0, dot)],
  );
  return inner.success ? claimAt(inner.data, path.slice(dot + 1)) : undefined;
}

function textsOf(value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === "string");
}

/** An address that the provider says nobody has shown to be theirs must not look like somebody else's. */
const isUnverified = (claims: Claims, claim: string) =>
  claim === "email" && claims["email_verified"] === false;

/** Names of the provider's own may have signs that ours have not. */
const plain = (claim: string, text: string) =>
  claim === "sub" ? text.replace(/[^A-Za-z0-9._@+-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "") : text;

function usernameOf(claims: Claims, names: readonly string[]): string | null {
  for (const claim of names.filter((name) => !isUnverified(claims, name))) {
    const [text = ""] = textsOf(claimAt(claims, claim));
    const username = usernameSchema.safeParse(plain(claim, text));
    if (username.success) return username.data;
  }
  return null;
}

/** @returns null when no claim has a name that a person can have here */
export function profileOf(claims: Claims, settings: OidcSettings): Profile | null {
  const username = usernameOf(claims, settings.usernameClaims);
  const { sub } = claims;
  if (username === null || typeof sub !== "string" || sub === "") return null;
  const { roles } = settings;
  const groups = roles === null ? [] : textsOf(claimAt(claims, roles.claim));
  return {
    source: "oidc",
    // Neither has a blank that the other could hide behind: an issuer is a URL.
    subject: `oidc ${settings.issuer} ${sub}`,
    username,
    name: nameSchema.safeParse(claims["name"]).data ?? "",
    email: isUnverified(claims, "email") ? "" : (z.email().safeParse(claims["email"]).data ?? ""),
    role: grantedRole(groups, roles?.map ?? null, settings.defaultRole),
  };
}
