/**
 * Signing in at an OpenID provider. What is to be remembered until somebody comes back travels sealed in a cookie of
 * their own browser, so that nobody can fill a table by beginning, and nobody can finish what another has begun.
 */
import { Hono, type Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import { networkOf } from "../domain/network.ts";
import type { OidcSettings } from "../domain/sign-in-settings.ts";
import { oidcOf } from "../env.ts";
import { profileOf } from "../identity/oidc/claims.ts";
import { beginSignIn, finishSignIn, ProviderError, type Pending } from "../identity/oidc/provider.ts";
import { withEntry } from "../storage/audit.ts";
import { countTry, forgiveTry, subjectOf } from "../storage/login-attempts.ts";
import { spendState } from "../storage/oidc-states.ts";
import { parseKeyring, type Sealed } from "../storage/seal.ts";
import { admit } from "./admit.ts";
import { documented } from "../api-document/route-facts.ts";
import { logOf, noteOf } from "./audited.ts";
import { addressOf, type AdminEnv } from "./context.ts";
import { beginSession } from "./session.ts";
import { PATIENCE } from "./sign-in.ts";

const COOKIE = "relay_oidc";
const COOKIE_PATH = "/admin/oidc";
/** How long a person may take at the provider. */
const PENDING_MS = 10 * 60_000;
/** A sealed value of another kind is none of this. */
const SEALED_FOR = "oidc sign-in";

/** What the sign-in page is told went wrong. */
type Failure = `oidc_${ProviderError["kind"]}` | "oidc_state" | "oidc_refused" | "rate_limited";

const pendingSchema = z.object({
  state: z.string().min(16),
  nonce: z.string().min(16),
  verifier: z.string().min(43),
  redirectUri: z.url(),
  expiresAt: z.number(),
}) satisfies z.ZodType<Pending>;

function settingsOf({ env }: Context<AdminEnv>): OidcSettings {
  const settings = oidcOf(env);
  if (settings === null) throw new RelayError("not_found", "There is no provider: OIDC_ISSUER is not set.");
  return settings;
}

const toSignInPage = (context: Context<AdminEnv>, failure: Failure) => {
  context.header("cache-control", "no-store");
  return context.redirect(`/login?error=${failure}`, 303);
};

async function keep(context: Context<AdminEnv>, pending: Pending, now: number): Promise<void> {
  const keyring = await parseKeyring(context.env.ENCRYPTION_KEYS);
  const text = JSON.stringify({ ...pending, expiresAt: now + PENDING_MS });
  setCookie(context, COOKIE, await keyring.seal(text, SEALED_FOR), {
    httpOnly: true,
    // Not `Strict`: the provider's page is another site, and this cookie must come back from there.
    sameSite: "Lax",
    secure: new URL(context.req.url).protocol === "https:",
    path: COOKIE_PATH,
    maxAge: PENDING_MS / 1000,
  });
}

/** What this browser has begun; null: nothing that counts. */
async function pendingOf(context: Context<AdminEnv>, now: number) {
  const cookie = getCookie(context, COOKIE);
  if (cookie === undefined) return null;
  const keyring = await parseKeyring(context.env.ENCRYPTION_KEYS);
  try {
    const { plaintext } = await keyring.open(cookie as Sealed, SEALED_FOR);
    const pending = pendingSchema.parse(JSON.parse(plaintext));
    return pending.expiresAt > now ? pending : null;
  } catch {
    return null;
  }
}

/**
 * The session's cookie is `Strict`: a browser that was sent here by another site would not send it along a redirect.
 * A page of this site that goes on by itself is where the next request comes from, so that one brings it.
 */
function goOn(context: Context<AdminEnv>): Response {
  context.header(
    "content-security-policy",
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  context.header("x-content-type-options", "nosniff");
  // The address has the code in it, spent as it is.
  context.header("referrer-policy", "no-referrer");
  context.header("cache-control", "no-store");
  return context.html(
    '<!doctype html><html lang="en"><meta http-equiv="refresh" content="0;url=/"><title>Signed in</title><a href="/">Go on</a></html>',
  );
}

async function noteRefusal(context: Context<AdminEnv>, target: string): Promise<void> {
  const change = { after: { address: addressOf(context) } };
  const note = noteOf({ id: null, name: "unknown" }, "session.refuse", target, change);
  await withEntry(await logOf(context.env), note)([]);
}

/** @returns what went wrong; null: they are signed in */
async function finish(context: Context<AdminEnv>, settings: OidcSettings): Promise<Failure | null> {
  const { env, req } = context;
  const now = Date.now();
  const url = new URL(req.url);
  const pending = await pendingOf(context, now);
  if (pending === null || url.searchParams.get("state") !== pending.state) return "oidc_state";
  const subject = await subjectOf("provider", networkOf(addressOf(context)));
  if ((await countTry(env.DB, subject, PATIENCE.provider, now)) !== null) return "rate_limited";
  if (!(await spendState(env.DB, pending.state, { now, expiresAt: pending.expiresAt }))) return "oidc_state";
  const profile = profileOf(await finishSignIn(settings, url, pending), settings);
  const admission = profile === null ? null : await admit(env, profile, now);
  if (admission?.kind !== "admitted") {
    await noteRefusal(context, admission?.person?.id ?? "unknown");
    return "oidc_refused";
  }
  await beginSession(context, admission.person);
  await forgiveTry(env.DB, [subject]);
  return null;
}

export const oidcRoutes = new Hono<AdminEnv>()
  .get(
    "/oidc/start",
    documented("Sends a browser to the provider to sign in.", { 303: null }, ["not_found"]),
    async (context) => {
      const settings = settingsOf(context);
      const redirectUri = `${new URL(context.req.url).origin}${COOKIE_PATH}/callback`;
      try {
        const { url, pending } = await beginSignIn(settings, redirectUri);
        await keep(context, pending, Date.now());
        context.header("cache-control", "no-store");
        context.header("referrer-policy", "no-referrer");
        return context.redirect(url, 303);
      } catch (error) {
        if (error instanceof ProviderError) return toSignInPage(context, `oidc_${error.kind}`);
        throw error;
      }
    },
  )
  .get(
    "/oidc/callback",
    documented(
      "Where the provider sends the browser back: a session begins, or the sign-in page says why not.",
      { 200: "text/html", 303: null },
      ["not_found"],
    ),
    async (context) => {
      const settings = settingsOf(context);
      const failure = await finish(context, settings).catch((error: unknown): Failure => {
        if (error instanceof ProviderError) return `oidc_${error.kind}`;
        throw error;
      });
      deleteCookie(context, COOKIE, { path: COOKIE_PATH });
      return failure === null ? goOn(context) : toSignInPage(context, failure);
    },
  );
