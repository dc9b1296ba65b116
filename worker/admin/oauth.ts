/** Sign-in of OAuth accounts: an address to open, and the exchange of the code that it leads to. */
import { Hono } from "hono";
import { z } from "zod";
import { accountInputSchema } from "../domain/account.ts";
import { RelayError } from "../domain/errors.ts";
import { clientSecretsOf, networkOf } from "../env.ts";
import { createTokenCall } from "../net/token-call.ts";
import { PROVIDERS } from "../providers/index.ts";
import { toBase64Url } from "../storage/encoding.ts";
import { OAUTH_SESSION_MS, openOAuthSession, takeOAuthSession } from "../storage/oauth-sessions.ts";
import { parseKeyring } from "../storage/seal.ts";
import { createAccount } from "./accounts.ts";
import { body, type AdminEnv } from "./context.ts";
import { newProxy } from "./proxy.ts";

const startSchema = z.object({ provider: z.string() });
const exchangeSchema = z.object({
  sessionId: z.string().max(100),
  /** The code, `code#state`, or the whole address that the sign-in ended on. */
  code: z.string().trim().min(10).max(4000),
  /** Its proxy is the way of the exchange, too. */
  account: accountInputSchema.omit({ credential: true, provider: true }),
});

/** Opaque to us; vendors put dots and slashes into theirs. */
const CODE = /^[A-Za-z0-9._~/-]+$/;

/** 32 random bytes in base64url: a PKCE verifier (RFC 7636, section 4.1), a state, a session id. */
function randomText(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return toBase64Url(bytes);
}

async function challengeOf(verifier: string): Promise<string> {
  return toBase64Url(
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))),
  );
}

/** What people paste: a callback address, `code#state`, or the bare code. */
export function readPastedCode(pasted: string): { readonly code: string; readonly state: string | null } {
  const fromUrl = URL.canParse(pasted) ? new URL(pasted).searchParams : null;
  const [raw = "", fragment] = pasted.split("#", 2);
  const code = fromUrl?.get("code") ?? raw.split("&")[0] ?? "";
  const state = fromUrl === null ? (fragment ?? null) : fromUrl.get("state");
  if (!CODE.test(code)) throw new RelayError("invalid_request", "code: is not what the sign-in page shows");
  return { code, state };
}

function flowOf(id: string) {
  const flow = PROVIDERS.get(id)?.oauth;
  if (flow === undefined) throw new RelayError("invalid_request", `provider: "${id}" has no sign-in`);
  return flow;
}

export const oauthRoutes = new Hono<AdminEnv>()
  .post("/start", body(startSchema), async (context) => {
    const { provider } = context.req.valid("json");
    const flow = flowOf(provider);
    const [sessionId, state, verifier] = [randomText(), randomText(), randomText()];
    const expiresAt = Date.now() + OAUTH_SESSION_MS;
    await openOAuthSession(context.env.DB, await parseKeyring(context.env.ENCRYPTION_KEYS), {
      id: sessionId,
      provider,
      admin: context.get("admin"),
      secrets: { state, verifier },
      expiresAt,
    });
    return context.json({
      sessionId,
      url: flow.authorizeUrl({ state, codeChallenge: await challengeOf(verifier) }),
      expiresAt,
    });
  })
  .post("/exchange", body(exchangeSchema), async (context) => {
    const { sessionId, code: pasted, account } = context.req.valid("json");
    const keyring = await parseKeyring(context.env.ENCRYPTION_KEYS);
    // Before the code is used up.
    const proxy = newProxy(account.proxy);
    const { code, state } = readPastedCode(pasted);
    const now = Date.now();
    const session = await takeOAuthSession(context.env.DB, keyring, {
      id: sessionId,
      admin: context.get("admin"),
      now,
    });
    if (session === null)
      throw new RelayError("invalid_request", "This sign-in is over or unknown: start it again.");
    if (state !== null && state !== session.secrets.state) {
      throw new RelayError("invalid_request", "The code belongs to another sign-in: start it again.");
    }
    const result = await flowOf(session.provider).exchange(
      { code, state: session.secrets.state, verifier: session.secrets.verifier },
      {
        now,
        tokenUrl: account.tokenUrl ?? null,
        baseUrl: account.baseUrl ?? null,
        clientSecrets: clientSecretsOf(context.env),
        call: createTokenCall(networkOf(context.env), proxy),
      },
    );
    if (result.kind !== "refreshed") throw new RelayError("invalid_request", result.message);
    const credential = z.record(z.string(), z.unknown()).parse(result.credential);
    return context.json(
      await createAccount(context, { ...account, provider: session.provider, credential }),
      201,
    );
  });
