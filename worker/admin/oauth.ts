/**
 * Sign-in of OAuth accounts: an address to open, and the exchange of the code that it leads to; or, where the page is
 * opened at another device, the question whether its person is done.
 */
import { Hono, type Context } from "hono";
import { z } from "zod";
import { accountInputSchema } from "../domain/account.ts";
import { invariant, RelayError } from "../domain/errors.ts";
import type { Proxy } from "../domain/proxy.ts";
import { upstreamUrlSchema } from "../domain/text.ts";
import { clientSecretsOf, networkOf } from "../env.ts";
import { createTokenCall } from "../net/token-call.ts";
import { PROVIDERS } from "../providers/index.ts";
import { toBase64Url } from "../domain/encoding.ts";
import type { DeviceFlow, OAuthFlow, Provider, TokenCallContext } from "../providers/provider.ts";
import {
  findOAuthSession,
  OAUTH_SESSION_MS,
  SIGN_IN_WAYS,
  openOAuthSession,
  takeOAuthSession,
  type OAuthSession,
  type SignInWay,
} from "../storage/oauth-sessions.ts";
import { parseKeyring } from "../storage/seal.ts";
import { createAccount } from "./account-store.ts";
import { accountAnswer, pendingAnswer, signInAnswer } from "./answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { body, type AdminEnv } from "./context.ts";
import { newProxy } from "./proxy.ts";

const startSchema = z.object({
  provider: z.string(),
  tokenUrl: upstreamUrlSchema.nullish(),
  /** The way of whatever must be asked now; it is not kept. */
  proxy: accountInputSchema.shape.proxy,
  proxyId: accountInputSchema.shape.proxyId,
  /** `setup_token`: a token of a year that may only be used for calls, where the provider has such. */
  way: z.enum(SIGN_IN_WAYS).default("sign_in"),
});
const pollSchema = z.object({
  sessionId: z.string().max(100),
  /** Its proxy is the way of the sign-in, too. */
  account: accountInputSchema.omit({ credential: true, provider: true }),
});
type SignedInAccount = z.infer<typeof pollSchema>["account"];
const exchangeSchema = pollSchema.extend({
  /** The code, `code#state`, or the whole address that the sign-in ended on. */
  code: z.string().trim().min(10).max(4000),
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

const pageOf = ({ origin, pathname }: URL): string => `${origin}${pathname}`;

/**
 * What people paste: a callback address, `code#state`, or the bare code.
 *
 * @param redirectUri where this sign-in leads; an address of another place is not its end
 */
export function readPastedCode(
  pasted: string,
  redirectUri: string,
): { readonly code: string; readonly state: string | null } {
  const url = URL.canParse(pasted) ? new URL(pasted) : null;
  if (url !== null && pageOf(url) !== pageOf(new URL(redirectUri))) {
    throw new RelayError("invalid_request", `code: the address must begin with ${redirectUri}`);
  }
  const fromUrl = url?.searchParams ?? null;
  const [raw = "", fragment] = pasted.split("#", 2);
  const code = fromUrl?.get("code") ?? raw.split("&")[0] ?? "";
  const state = fromUrl === null ? (fragment ?? null) : fromUrl.get("state");
  if (!CODE.test(code)) throw new RelayError("invalid_request", "code: is not what the sign-in page shows");
  return { code, state };
}

/** RFC 8628, section 3.5: how much longer to wait after a poll that came too fast. */
const SLOW_DOWN_MS = 5000;

function providerOf(id: string): Provider {
  const provider = PROVIDERS.get(id);
  if (provider?.oauth === undefined && provider?.device === undefined) {
    throw new RelayError("invalid_request", `provider: "${id}" has no sign-in`);
  }
  return provider;
}

/** @throws RelayError where there is no such way to sign in */
function flowOf(provider: Provider, way: SignInWay): OAuthFlow<unknown> | undefined {
  if (way === "sign_in") return provider.oauth;
  if (provider.setupToken !== undefined) return provider.setupToken;
  throw new RelayError("invalid_request", `way: "${provider.id}" has no setup tokens`);
}

const sessionOver = () =>
  new RelayError("invalid_request", "This sign-in is over or unknown: start it again.");

type Endpoints = Pick<SignedInAccount, "tokenUrl" | "baseUrl">;

const tokenContext = (
  { env }: Context<AdminEnv>,
  { tokenUrl, baseUrl }: Endpoints,
  proxy: Proxy | null,
): TokenCallContext => ({
  now: Date.now(),
  tokenUrl: tokenUrl ?? null,
  baseUrl: baseUrl ?? null,
  clientSecrets: clientSecretsOf(env),
  call: createTokenCall(networkOf(env), proxy),
});

/** Remembers a sign-in until the person is done with it. @returns its id */
async function remember(
  context: Context<AdminEnv>,
  session: Pick<OAuthSession, "provider" | "secrets" | "expiresAt">,
): Promise<string> {
  const id = randomText();
  const keyring = await parseKeyring(context.env.ENCRYPTION_KEYS);
  await openOAuthSession(context.env.DB, keyring, { ...session, id, admin: context.get("session") });
  return id;
}

async function startCode(
  context: Context<AdminEnv>,
  { provider, way }: z.infer<typeof startSchema>,
  flow: OAuthFlow<unknown>,
) {
  const [state, verifier] = [randomText(), randomText()];
  const expiresAt = Date.now() + OAUTH_SESSION_MS;
  const sessionId = await remember(context, { provider, secrets: { state, verifier, way }, expiresAt });
  const url = flow.authorizeUrl({ state, codeChallenge: await challengeOf(verifier) });
  return { sessionId, url, userCode: null, intervalMs: null, expiresAt };
}

async function startDevice(
  context: Context<AdminEnv>,
  { provider, tokenUrl, ...choice }: z.infer<typeof startSchema>,
  flow: DeviceFlow<unknown>,
) {
  const proxy = await newProxy(context.env, choice);
  const started = await flow.start(tokenContext(context, { tokenUrl, baseUrl: null }, proxy));
  if (started.kind === "failed") throw new RelayError("upstream_failed", started.message);
  const { deviceCode, userCode, url, intervalMs } = started;
  const expiresAt = Math.min(started.expiresAt, Date.now() + OAUTH_SESSION_MS);
  const sessionId = await remember(context, { provider, secrets: { deviceCode, intervalMs }, expiresAt });
  return { sessionId, url, userCode, intervalMs, expiresAt };
}

function createSignedIn(
  context: Context<AdminEnv>,
  account: SignedInAccount,
  { provider, credential }: { readonly provider: string; readonly credential: unknown },
) {
  const known = z.record(z.string(), z.unknown()).parse(credential);
  return createAccount(context, { ...account, provider, credential: known });
}

export const oauthRoutes = new Hono<AdminEnv>()
  .post(
    "/start",
    documented("Begins the sign-in of an account.", { 200: signInAnswer }, ["upstream_failed"]),
    body(startSchema),
    async (context) => {
      const input = context.req.valid("json");
      const provider = providerOf(input.provider);
      const { device } = provider;
      const flow = flowOf(provider, input.way);
      if (flow !== undefined) return context.json(await startCode(context, input, flow));
      invariant(device !== undefined, "a provider with a sign-in has a flow for it");
      return context.json(await startDevice(context, input, device));
    },
  )
  .post(
    "/exchange",
    documented("Ends a sign-in with the code that its page showed.", { 201: accountAnswer }),
    body(exchangeSchema),
    async (context) => {
      const { sessionId, code: pasted, account } = context.req.valid("json");
      const keyring = await parseKeyring(context.env.ENCRYPTION_KEYS);
      // Before the code is used up.
      const proxy = await newProxy(context.env, account);
      const claim = { id: sessionId, admin: context.get("session"), now: Date.now() };
      const begun = await findOAuthSession(context.env.DB, keyring, claim);
      if (begun === null || !("verifier" in begun.secrets)) throw sessionOver();
      const { secrets, provider } = begun;
      const flow = flowOf(providerOf(provider), secrets.way);
      if (flow === undefined) throw sessionOver();
      const { code, state } = readPastedCode(pasted, flow.redirectUri);
      if ((await takeOAuthSession(context.env.DB, keyring, claim)) === null) throw sessionOver();
      if (state !== null && state !== secrets.state) {
        throw new RelayError("invalid_request", "The code belongs to another sign-in: start it again.");
      }
      const grant = { code, state: secrets.state, verifier: secrets.verifier };
      const result = await flow.exchange(grant, tokenContext(context, account, proxy));
      if (result.kind !== "refreshed") throw new RelayError("invalid_request", result.message);
      return context.json(
        await createSignedIn(context, account, { provider, credential: result.credential }),
        201,
      );
    },
  )
  .post(
    "/poll",
    documented(
      "Asks whether a sign-in at another device is done.",
      { 200: pendingAnswer, 201: accountAnswer },
      ["upstream_failed"],
    ),
    body(pollSchema),
    async (context) => {
      const { sessionId, account } = context.req.valid("json");
      const keyring = await parseKeyring(context.env.ENCRYPTION_KEYS);
      const claim = { id: sessionId, admin: context.get("session"), now: Date.now() };
      const session = await findOAuthSession(context.env.DB, keyring, claim);
      if (session === null || !("deviceCode" in session.secrets)) throw sessionOver();
      const { secrets, provider } = session;
      const { device } = providerOf(provider);
      if (device === undefined) throw sessionOver();
      const result = await device.poll(
        secrets.deviceCode,
        tokenContext(context, account, await newProxy(context.env, account)),
      );
      switch (result.kind) {
        case "pending": {
          const retryAfterMs = secrets.intervalMs + (result.slowDown ? SLOW_DOWN_MS : 0);
          return context.json({ kind: "pending", retryAfterMs } as const);
        }
        case "failed":
          // The provider could not be asked, so the sign-in may still succeed.
          throw new RelayError("upstream_failed", result.message);
        case "rejected":
          await takeOAuthSession(context.env.DB, keyring, claim);
          throw new RelayError("invalid_request", result.message);
        case "refreshed":
          await takeOAuthSession(context.env.DB, keyring, claim);
          return context.json(
            await createSignedIn(context, account, { provider, credential: result.credential }),
            201,
          );
      }
    },
  );
