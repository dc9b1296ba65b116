/** A Google account signed in by OAuth, served by Code Assist: calls of the Gemini API travel in its envelope. */
import { codeAssistMethod, readModelPath } from "../../protocols/gemini/paths.ts";
import { judgeGoogle, judgeGoogleEvent } from "../google-api/judge.ts";
import { forwardedHeaders, testCall, withForwardedQuery } from "../google-api/request.ts";
import { defineProvider, type UpstreamCall } from "../provider.ts";
import { withField, wrapped, wrappedCount } from "./envelope.ts";
import { DEFAULT_BASE_URL, methodUrl, withProject } from "./project.ts";
import {
  callTokenEndpoint,
  CLIENT_ID,
  credentialSchema,
  PROVIDER_ID,
  REDIRECT_URI,
  type GeminiOAuthCredential,
} from "./token.ts";
import { unwrapAnswer } from "./unwrap.ts";

const AUTHORIZE_URL = "https://accounts.google.com/o/oauth2/v2/auth";
const SCOPE = "https://www.googleapis.com/auth/cloud-platform";

/** Where a call about Code Assist names the project. */
const PROJECT_FIELD: Readonly<Record<string, string>> = {
  generateContent: "project",
  streamGenerateContent: "project",
  retrieveUserQuota: "project",
  listExperiments: "project",
  loadCodeAssist: "cloudaicompanionProject",
  onboardUser: "cloudaicompanionProject",
};

/** Address and body of a call: the account's own project stands in place of the client's. */
function target(call: UpstreamCall, projectId: string | null, baseUrl: string | null) {
  const standard = readModelPath(call.path);
  if (standard !== null) {
    const { method } = standard;
    const body =
      method === "countTokens"
        ? wrappedCount(call.body, call.model)
        : wrapped(call.body, call.model, projectId);
    return { url: methodUrl(baseUrl, method), body };
  }
  const method = codeAssistMethod(call.path);
  if (method === null) return { url: `${baseUrl ?? DEFAULT_BASE_URL}${call.path}`, body: call.body };
  const field = PROJECT_FIELD[method];
  const body = projectId === null || field === undefined ? call.body : withField(call.body, field, projectId);
  return { url: methodUrl(baseUrl, method), body };
}

export const geminiOAuth = defineProvider<GeminiOAuthCredential>({
  id: PROVIDER_ID,
  label: "Google account",
  service: "gemini",
  protocols: ["gemini"],
  credentialSchema,
  defaultBaseUrl: DEFAULT_BASE_URL,
  vendor: "google",
  // Google counts each model by itself.
  modelFamily: () => null,
  createRequest(call, { accessToken, projectId }, baseUrl) {
    const headers = forwardedHeaders(call.headers);
    headers.set("authorization", `Bearer ${accessToken}`);
    const { url, body } = target(call, projectId, baseUrl);
    return { url: withForwardedQuery(url, call.query), headers, body };
  },
  decodeAnswer: (answer, call) =>
    readModelPath(call.path) === null ? answer : unwrapAnswer(answer, call.stream),
  judge: judgeGoogle,
  readWindows: () => null,
  judgeEvent: judgeGoogleEvent,
  expiresAt: ({ expiresAt }) => expiresAt,
  async refresh(credential, context) {
    const { refreshToken } = credential;
    if (refreshToken === "") {
      return { kind: "rejected", message: "This account has no refresh token: sign in again." };
    }
    const grant = { grant_type: "refresh_token", refresh_token: refreshToken };
    return withProject(await callTokenEndpoint(grant, credential, context), context);
  },
  tokensIn: ({ accessToken, refreshToken }) => ({ access: accessToken !== "", refresh: refreshToken !== "" }),
  oauth: {
    redirectUri: REDIRECT_URI,
    authorizeUrl({ state, codeChallenge }) {
      const query = new URLSearchParams({
        client_id: CLIENT_ID,
        response_type: "code",
        redirect_uri: REDIRECT_URI,
        scope: SCOPE,
        // Without these two a second sign-in of the same person yields no refresh token.
        access_type: "offline",
        prompt: "select_account consent",
        code_challenge: codeChallenge,
        code_challenge_method: "S256",
        state,
      });
      return `${AUTHORIZE_URL}?${query.toString()}`;
    },
    async exchange({ code, verifier }, context) {
      const grant = {
        grant_type: "authorization_code",
        code,
        code_verifier: verifier,
        redirect_uri: REDIRECT_URI,
      };
      const unknown = { refreshToken: "", projectId: null };
      return withProject(await callTokenEndpoint(grant, unknown, context), context);
    },
  },
  probe({ accessToken }, baseUrl) {
    const headers = forwardedHeaders(new Headers());
    headers.set("authorization", `Bearer ${accessToken}`);
    return { url: methodUrl(baseUrl, "loadCodeAssist"), headers };
  },
  testCall,
});
