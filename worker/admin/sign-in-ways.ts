/** Which ways there are to sign in, for a page that offers them; and whether the directory works, for who set it up. */
import { Hono } from "hono";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import { usernameSchema } from "../domain/person.ts";
import type { LdapSettings } from "../domain/sign-in-settings.ts";
import { ldapOf, oidcOf } from "../env.ts";
import { lookUp, type Lookup } from "../identity/ldap/ask.ts";
import { DirectoryError } from "../identity/ldap/directory-error.ts";
import { documented } from "../api-document/route-facts.ts";
import { body, type AdminEnv } from "./context.ts";
import { directoryTestAnswer, signInWaysAnswer, type DirectoryTest } from "./sign-in-answers.ts";

/** On whichever host the admin is. */
const OIDC_START = "/admin/oidc/start";

export const signInWayRoutes = new Hono<AdminEnv>().get(
  "/sign-in",
  documented("Which ways there are to sign in.", { 200: signInWaysAnswer }),
  (context) => {
    const { env } = context;
    const oidc = oidcOf(env);
    return context.json({
      password: true,
      ldap: ldapOf(env) !== null,
      oidc: oidc === null ? null : { label: oidc.label, url: OIDC_START },
      registration: context.get("settings").registration.enabled,
    } as const);
  },
);

const failed = (message: string): DirectoryTest => ({ ok: false, message, person: null });

function reportOf(lookup: Lookup | null): DirectoryTest {
  if (lookup === null) return { ok: true, message: "The relay can search the directory.", person: null };
  switch (lookup.kind) {
    case "none":
      return failed("Nobody is called that. Check LDAP_SEARCH_BASE and LDAP_SEARCH_FILTER.");
    case "several":
      return failed("Several are called that, so none of them can sign in. Narrow LDAP_SEARCH_FILTER.");
    case "unusable":
      return failed("The entry has no user name that can be used here. Check LDAP_USERNAME_ATTRIBUTE.");
    case "found": {
      const { profile, groups } = lookup.found;
      const { username, name, email, role } = profile;
      const isLetIn = role.kind !== "none";
      return {
        ok: isLetIn,
        message: isLetIn ? "This person can sign in." : "This person is in no group that gives a role.",
        person: { username, name, email, role: isLetIn ? role.role : null, groups: [...groups] },
      };
    }
  }
}

async function tested(settings: LdapSettings, username: string | null): Promise<DirectoryTest> {
  try {
    return reportOf(await lookUp(settings, username));
  } catch (error) {
    if (error instanceof DirectoryError || error instanceof RelayError) return failed(error.message);
    throw error;
  }
}

export const directoryTestRoutes = new Hono<AdminEnv>().post(
  "/ldap-test",
  documented("Asks the directory as the relay would, perhaps about somebody, and without a password.", {
    200: directoryTestAnswer,
  }),
  body(z.object({ username: usernameSchema.optional() })),
  async (context) => {
    const settings = ldapOf(context.env);
    const { username } = context.req.valid("json");
    return context.json(
      settings === null
        ? failed("There is no directory: LDAP_URL is not set.")
        : await tested(settings, username ?? null),
    );
  },
);
