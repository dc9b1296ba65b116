/** The OAuth endpoints of the fake: `GET …/oauth/authorize` and `POST …/oauth/token`. */
import type { ServerResponse } from "node:http";
import { randomBytes } from "node:crypto";
import type { RefreshBehaviour } from "./control-types.ts";
import { resetConnection, sendBody, type Cuttable } from "./exchange.ts";
import type { Family, OAuth, TokenGrant } from "./oauth.ts";
import { isRecord, parseJson, textOf, type JsonRecord } from "./record.ts";
import { pause } from "./wire.ts";

const JSON_HEADERS = { "content-type": "application/json", "cache-control": "no-store" };
const SCOPE = "user:profile user:inference user:sessions:claude_code";

/**
 * Consents at once. With a loopback `redirect_uri` and without `code=true` it redirects there, else it shows `code#state`.
 * The query parameter `family` names the family the tokens will belong to.
 */
export function authorize(oauth: OAuth, query: URLSearchParams, response: ServerResponse): void {
  const codeChallenge = query.get("code_challenge");
  if (codeChallenge === null || query.get("code_challenge_method") !== "S256") {
    return refuse(response, "invalid_request", "code_challenge with method S256 is required");
  }
  const code = randomBytes(24).toString("base64url");
  const state = query.get("state");
  oauth.addCode(code, {
    family: query.get("family") ?? `authorized-${code.slice(0, 8)}`,
    codeChallenge,
    state,
  });
  const redirect = loopbackRedirect(query);
  if (redirect === null)
    return sendBody(response, 200, { "content-type": "text/plain" }, `${code}#${state ?? ""}`);
  redirect.searchParams.set("code", code);
  if (state !== null) redirect.searchParams.set("state", state);
  sendBody(response, 302, { location: redirect.href }, "");
}

function loopbackRedirect(query: URLSearchParams): URL | null {
  const target = query.get("redirect_uri");
  if (target === null || query.get("code") === "true" || !URL.canParse(target)) return null;
  const url = new URL(target);
  return ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname) ? url : null;
}

export async function grantToken(oauth: OAuth, rawBody: string, exchange: Cuttable): Promise<void> {
  const { response } = exchange;
  const body = parseJson(rawBody) ?? formOf(rawBody);
  if (!isRecord(body)) return refuse(response, "invalid_request", "the body must be JSON or a form");
  switch (body["grant_type"]) {
    case "authorization_code":
      return exchangeCode(oauth, body, response);
    case "refresh_token":
      return await refreshToken(oauth, textOf(body["refresh_token"]), exchange);
    default:
      return refuse(
        response,
        "unsupported_grant_type",
        "grant_type must be authorization_code or refresh_token",
      );
  }
}

/** OpenAI's clients send forms. */
/** OpenAI's and Google's token calls are forms, as RFC 6749 has them; Anthropic's are JSON. */
const formOf = (rawBody: string): JsonRecord | null =>
  rawBody.includes("grant_type=") ? Object.fromEntries(new URLSearchParams(rawBody)) : null;

function exchangeCode(oauth: OAuth, body: JsonRecord, response: ServerResponse): void {
  const call = {
    code: textOf(body["code"]),
    verifier: textOf(body["code_verifier"]),
    state: typeof body["state"] === "string" ? body["state"] : null,
    // RFC 6749 has no state in the exchange; only Anthropic asks for it.
    isStateless: !("state" in body),
    expiresInS: typeof body["expires_in"] === "number" ? body["expires_in"] : null,
  };
  const grant = oauth.exchange(call, Date.now());
  if (grant === null) {
    oauth.countUnknown();
    return refuse(response, "invalid_grant", "Invalid 'code' in request.");
  }
  sendGrant(response, grant);
}

async function refreshToken(oauth: OAuth, token: string, exchange: Cuttable): Promise<void> {
  const { response } = exchange;
  const family = oauth.familyOfRefreshToken(token);
  if (family === null) {
    oauth.countUnknown();
    return refuse(response, "invalid_grant", "Refresh token not found or invalid");
  }
  countCall(family, response);
  const behaviour = family.behaviours.shift() ?? {};
  if (await diverts(behaviour, response)) return;
  const grant = oauth.refresh(family, token, Date.now());
  if ("dropAfterRotating" in behaviour) return resetConnection(exchange);
  if ("delayMs" in behaviour) await pause(behaviour.delayMs);
  if (grant === null) return refuse(response, "invalid_grant", "Refresh token not found or invalid");
  sendGrant(response, grant);
}

function countCall(family: Family, response: ServerResponse): void {
  family.stats.calls += 1;
  family.stats.open += 1;
  family.stats.openMax = Math.max(family.stats.openMax, family.stats.open);
  response.once("close", () => {
    family.stats.open -= 1;
  });
}

/** Whether the behaviour answers (or hangs) without looking at the token. */
async function diverts(behaviour: RefreshBehaviour, response: ServerResponse): Promise<boolean> {
  if ("hang" in behaviour) return true;
  if ("garbage" in behaviour) {
    sendBody(response, 200, JSON_HEADERS, "<html>try again</html>");
    return true;
  }
  if (!("status" in behaviour)) return false;
  // Never answered within the turn of the request, as over a network.
  await pause(1);
  const body = behaviour.body ?? { error: "server_error", error_description: "made to fail" };
  sendBody(response, behaviour.status, JSON_HEADERS, typeof body === "string" ? body : JSON.stringify(body));
  return true;
}

export function sendGrant(response: ServerResponse, { family, accessToken, expiresInS }: TokenGrant): void {
  const grant = {
    token_type: "Bearer",
    access_token: accessToken,
    expires_in: expiresInS,
    ...(family.seed.rotates === false && family.stats.refreshesGranted > 0
      ? {}
      : { refresh_token: family.refreshToken }),
    scope: SCOPE,
    id_token: idTokenOf(family),
    organization_id: `org_of_${family.name}`,
    organization: { uuid: `org-of-${family.name}`, name: `Organization of ${family.name}` },
    account: { uuid: `account-of-${family.name}`, email_address: `${family.name}@example.com` },
  };
  sendBody(response, 200, JSON_HEADERS, JSON.stringify(grant));
}

/** Unsigned, with the claim from which Codex learns its account. */
function idTokenOf(family: Family): string {
  const claims = { "https://api.openai.com/auth": { chatgpt_account_id: `account-of-${family.name}` } };
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.none`;
}

export function refuse(response: ServerResponse, error: string, description: string): void {
  sendBody(response, 400, JSON_HEADERS, JSON.stringify({ error, error_description: description }));
}
