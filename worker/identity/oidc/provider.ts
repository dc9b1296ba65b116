/** An OpenID provider: where to send somebody who wants to sign in, and what it says of whoever comes back. */
import * as oauth from "oauth4webapi";
import { RelayError } from "../../domain/errors.ts";
import type { OidcSettings } from "../../domain/sign-in-settings.ts";
import { assertAllowedTarget } from "../../net/guard.ts";
import type { Claims } from "./claims.ts";

/** What is to be remembered until somebody comes back. */
export interface Pending {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE. */
  readonly verifier: string;
  readonly redirectUri: string;
}

/**
 * - `denied`: the provider, or the person there, said no
 * - `failed`: what came back is not to be believed
 * - `unavailable`: the provider cannot be asked
 */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly kind: "denied" | "failed" | "unavailable";

  constructor(kind: ProviderError["kind"], cause: unknown) {
    super(`sign-in ${kind}`, { cause });
    this.kind = kind;
  }
}

const CALL_TIMEOUT_MS = 10_000;
/** How long an isolate believes a provider's description of itself; its keys are looked at more often. */
const DESCRIPTION_MS = 10 * 60_000;
const CLOCK_TOLERANCE_S = 30;

/** A call as the package wants it made. */
interface Call {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: BodyInit | undefined;
}

/** To allowed targets only, without redirects, within a time limit. */
const callsOf = ({ allowPrivate }: OidcSettings) => ({
  [oauth.allowInsecureRequests]: allowPrivate,
  [oauth.customFetch]: async (url: string, { method, headers, body }: Call): Promise<Response> => {
    assertAllowedTarget(url, allowPrivate);
    const signal = AbortSignal.timeout(CALL_TIMEOUT_MS);
    return fetch(url, { method, headers, body: body ?? null, redirect: "manual", signal });
  },
});

let described: {
  readonly issuer: string;
  readonly server: oauth.AuthorizationServer;
  readonly until: number;
} | null = null;

async function describe(settings: OidcSettings): Promise<oauth.AuthorizationServer> {
  const now = Date.now();
  if (described?.issuer === settings.issuer && described.until > now) return described.server;
  const issuer = new URL(settings.issuer);
  const response = await oauth.discoveryRequest(issuer, callsOf(settings));
  const server = await oauth.processDiscoveryResponse(issuer, response);
  described = { issuer: settings.issuer, server, until: now + DESCRIPTION_MS };
  return server;
}

/** @throws ProviderError instead of what went wrong */
async function asProviderError<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new ProviderError(kindOf(error), error);
  }
}

function kindOf(error: unknown): ProviderError["kind"] {
  if (error instanceof oauth.AuthorizationResponseError) return "denied";
  const isAnswer =
    error instanceof oauth.OperationProcessingError ||
    error instanceof oauth.UnsupportedOperationError ||
    error instanceof oauth.ResponseBodyError ||
    error instanceof oauth.WWWAuthenticateChallengeError;
  if (isAnswer || error instanceof RelayError) return "failed";
  return "unavailable";
}

/** @throws ProviderError */
export function beginSignIn(
  settings: OidcSettings,
  redirectUri: string,
): Promise<{ readonly url: string; readonly pending: Pending }> {
  return asProviderError(async () => {
    const server = await describe(settings);
    if (server.authorization_endpoint === undefined) throw new Error("no authorization endpoint");
    const pending: Pending = {
      state: oauth.generateRandomState(),
      nonce: oauth.generateRandomNonce(),
      verifier: oauth.generateRandomCodeVerifier(),
      redirectUri,
    };
    const url = new URL(server.authorization_endpoint);
    const parameters = {
      client_id: settings.clientId,
      redirect_uri: redirectUri,
      response_type: "code",
      scope: settings.scopes,
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: "S256",
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return { url: url.href, pending };
  });
}

function authenticationOf(
  { clientSecret }: OidcSettings,
  { token_endpoint_auth_methods_supported: methods }: oauth.AuthorizationServer,
): oauth.ClientAuth {
  if (clientSecret === null) return oauth.None();
  // Basic is what holds where nothing is said (OpenID Connect Discovery 1.0, section 3). In the body there is only one
  // way to write a secret; some providers do not undo the encoding that basic asks for.
  const isPost = methods?.includes("client_secret_post") === true;
  return isPost ? oauth.ClientSecretPost(clientSecret) : oauth.ClientSecretBasic(clientSecret);
}

/**
 * Takes the code of somebody who came back to the provider, and whom it names for it.
 *
 * @throws ProviderError
 */
export function finishSignIn(settings: OidcSettings, answer: URL, pending: Pending): Promise<Claims> {
  return asProviderError(async () => {
    const server = await describe(settings);
    const client = { client_id: settings.clientId, [oauth.clockTolerance]: CLOCK_TOLERANCE_S };
    const calls = callsOf(settings);
    const parameters = oauth.validateAuthResponse(server, client, answer, pending.state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      authenticationOf(settings, server),
      parameters,
      pending.redirectUri,
      pending.verifier,
      calls,
    );
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
      expectedNonce: pending.nonce,
      requireIdToken: true,
    });
    // The specification lets TLS stand for the signature here; that it is looked at costs next to nothing.
    await oauth.validateApplicationLevelSignature(server, response, calls);
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    if (claims === undefined) throw new Error("no claims");
    if (server.userinfo_endpoint === undefined) return claims;
    const said = await oauth.userInfoRequest(server, client, tokens.access_token, calls);
    return { ...(await oauth.processUserInfoResponse(server, client, claims.sub, said)), ...claims };
  });
}
