/** A ChatGPT plan signed in by OAuth, as Codex uses it: bearer token, rotating refresh token. */
import { judgeOpenAi, judgeOpenAiEvent } from "../openai-api/judge.ts";
import {
  forwardedHeaders,
  modelFamily,
  MODELS_CALL,
  responsesTestCall,
  TEST_MODEL,
  upstreamUrl,
} from "../openai-api/request.ts";
import { defineProvider } from "../provider.ts";
import { acceptableBody } from "./body.ts";
import { accountIdIn } from "./claims.ts";
import {
  callTokenEndpoint,
  CLIENT_ID,
  credentialSchema,
  REDIRECT_URI,
  type OpenAiOAuthCredential,
} from "./token.ts";
import { wholeAnswer } from "./whole-answer.ts";
import { windowsOf } from "./windows.ts";

const DEFAULT_BASE_URL = "https://chatgpt.com/backend-api/codex";
const AUTHORIZE_URL = "https://auth.openai.com/oauth/authorize";
const SCOPES = "openid profile email offline_access";
const REFRESH_SCOPES = "openid profile email";

function authorize(headers: Headers, { accessToken, accountId }: OpenAiOAuthCredential): void {
  headers.set("authorization", `Bearer ${accessToken}`);
  const account = accountId === "" ? accountIdIn(accessToken) : accountId;
  if (account !== null) headers.set("chatgpt-account-id", account);
}

export const openaiOAuth = defineProvider<OpenAiOAuthCredential>({
  id: "openai-oauth",
  label: "ChatGPT plan (Codex)",
  service: "openai",
  protocols: ["openai-responses"],
  credentialSchema,
  defaultBaseUrl: DEFAULT_BASE_URL,
  vendor: "openai",
  modelFamily,
  createRequest(call, credential, baseUrl) {
    const headers = forwardedHeaders(call.headers);
    authorize(headers, credential);
    const body = acceptableBody(call.path, call.body);
    return { url: upstreamUrl(baseUrl ?? DEFAULT_BASE_URL, call), headers, body };
  },
  decodeAnswer(answer, { stream }) {
    const isStream = answer.headers.get("content-type")?.includes("event-stream") === true;
    return isStream && !stream ? wholeAnswer(answer) : answer;
  },
  judge: judgeOpenAi,
  readWindows: windowsOf,
  judgeEvent: judgeOpenAiEvent,
  expiresAt: ({ expiresAt }) => expiresAt,
  refresh: (credential, context) =>
    credential.refreshToken === ""
      ? Promise.resolve({ kind: "rejected", message: "This account has no refresh token: sign in again." })
      : callTokenEndpoint(
          { grant_type: "refresh_token", refresh_token: credential.refreshToken, scope: REFRESH_SCOPES },
          credential,
          context,
        ),
  tokensIn: ({ accessToken, refreshToken }) => ({ access: accessToken !== "", refresh: refreshToken !== "" }),
  oauth: {
    redirectUri: REDIRECT_URI,
    authorizeUrl({ state, codeChallenge }) {
      const query = new URLSearchParams({
        response_type: "code",
        client_id: CLIENT_ID,
        redirect_uri: REDIRECT_URI,
        scope: SCOPES,
        code_challenge: codeChallenge,
        code_challenge_method: "S256",
        state,
        // Without these two the id token names no account, and the page asks for an organization besides.
        id_token_add_organizations: "true",
        codex_cli_simplified_flow: "true",
      });
      return `${AUTHORIZE_URL}?${query.toString()}`;
    },
    exchange: ({ code, verifier }, context) =>
      callTokenEndpoint(
        { grant_type: "authorization_code", code, redirect_uri: REDIRECT_URI, code_verifier: verifier },
        { refreshToken: "", accountId: "" },
        context,
      ),
  },
  probe(credential, baseUrl) {
    const headers = forwardedHeaders(new Headers());
    authorize(headers, credential);
    return { url: upstreamUrl(baseUrl ?? DEFAULT_BASE_URL, MODELS_CALL), headers };
  },
  // The backend answers in streams only.
  testCall: () => ({
    ...responsesTestCall(),
    stream: true,
    body: new TextEncoder().encode(
      JSON.stringify({
        model: TEST_MODEL,
        stream: true,
        store: false,
        instructions: "Answer with one word.",
        input: [{ role: "user", content: [{ type: "input_text", text: "Hi" }] }],
      }),
    ),
  }),
});
