/** A Claude subscription signed in by OAuth: bearer token, rotating refresh token. */
import { judgeAnthropic, judgeAnthropicEvent } from "../anthropic-api/judge.ts";
import {
  forwardedHeaders,
  modelFamily,
  MODELS_CALL,
  testCall,
  upstreamUrl,
} from "../anthropic-api/request.ts";
import { windowsOf } from "../anthropic-api/windows.ts";
import { defineProvider, type OAuthFlow } from "../provider.ts";
import { readUsage, USAGE_PATH } from "./balance.ts";
import {
  callTokenEndpoint,
  CLIENT_ID,
  credentialSchema,
  REDIRECT_URI,
  type ClaudeOAuthCredential,
} from "./token.ts";

const DEFAULT_BASE_URL = "https://api.anthropic.com";
const AUTHORIZE_URL = "https://claude.ai/oauth/authorize";
/** All that a setup token may do. */
const SETUP_SCOPE = "user:inference";
/** How long a setup token is asked to live: a year. */
const SETUP_LIFETIME_S = 31_536_000;
const SCOPES =
  "org:create_api_key user:profile user:inference user:sessions:claude_code user:mcp_servers user:file_upload";
/** The one beta flag that a bearer token requires; all others are the client's business. */
const OAUTH_BETA = "oauth-2025-04-20";

function withOAuthBeta(clientBetas: string | null): string {
  const betas = (clientBetas ?? "").split(",").map((beta) => beta.trim());
  return betas.includes(OAUTH_BETA) ? (clientBetas ?? "") : [OAUTH_BETA, ...betas.filter(Boolean)].join(",");
}

/** @param lifetimeS how long the token is asked to live; null: as the endpoint likes */
const flow = (scope: string, lifetimeS: number | null): OAuthFlow<ClaudeOAuthCredential> => ({
  redirectUri: REDIRECT_URI,
  authorizeUrl({ state, codeChallenge }) {
    const query = new URLSearchParams({
      code: "true",
      client_id: CLIENT_ID,
      response_type: "code",
      redirect_uri: REDIRECT_URI,
      scope,
      code_challenge: codeChallenge,
      code_challenge_method: "S256",
      state,
    });
    return `${AUTHORIZE_URL}?${query.toString()}`;
  },
  exchange: ({ code, state, verifier }, context) =>
    callTokenEndpoint(
      {
        grant_type: "authorization_code",
        code,
        state,
        code_verifier: verifier,
        redirect_uri: REDIRECT_URI,
        ...(lifetimeS === null ? {} : { expires_in: lifetimeS }),
      },
      "",
      context,
    ),
});

export const claudeOAuth = defineProvider<ClaudeOAuthCredential>({
  id: "claude-oauth",
  label: "Claude subscription",
  service: "claude",
  protocols: ["anthropic"],
  credentialSchema,
  defaultBaseUrl: DEFAULT_BASE_URL,
  vendor: "anthropic",
  modelFamily,
  createRequest(call, { accessToken }, baseUrl) {
    const headers = forwardedHeaders(call.headers);
    headers.set("authorization", `Bearer ${accessToken}`);
    headers.set("anthropic-beta", withOAuthBeta(call.headers.get("anthropic-beta")));
    return { url: upstreamUrl(baseUrl ?? DEFAULT_BASE_URL, call), headers, body: call.body };
  },
  judge: judgeAnthropic,
  readWindows: windowsOf,
  judgeEvent: judgeAnthropicEvent,
  expiresAt: ({ expiresAt }) => expiresAt,
  refresh: ({ refreshToken }, context) =>
    refreshToken === ""
      ? Promise.resolve({ kind: "rejected", message: "This account has no refresh token: sign in again." })
      : callTokenEndpoint(
          { grant_type: "refresh_token", refresh_token: refreshToken },
          refreshToken,
          context,
        ),
  tokensIn: ({ accessToken, refreshToken }) => ({ access: accessToken !== "", refresh: refreshToken !== "" }),
  oauth: flow(SCOPES, null),
  setupToken: flow(SETUP_SCOPE, SETUP_LIFETIME_S),
  balance({ accessToken }, baseUrl) {
    const headers = new Headers({ accept: "application/json", "anthropic-beta": OAUTH_BETA });
    headers.set("authorization", `Bearer ${accessToken}`);
    const call = { path: USAGE_PATH, query: "" };
    return { url: upstreamUrl(baseUrl ?? DEFAULT_BASE_URL, call), headers, parse: readUsage };
  },
  probe({ accessToken }, baseUrl) {
    const headers = forwardedHeaders(new Headers({ "anthropic-beta": OAUTH_BETA }));
    headers.set("authorization", `Bearer ${accessToken}`);
    return { url: upstreamUrl(baseUrl ?? DEFAULT_BASE_URL, MODELS_CALL), headers };
  },
  testCall,
});
