/** Sign-in at Factory, which WorkOS does for it: the device grant (RFC 8628) and the refresh, both forms. */
import { parseJson } from "../../domain/json.ts";
import { z } from "zod";
import type { DevicePoll, DeviceStart, RefreshResult, TokenCallContext } from "../provider.ts";
import { organization, token, type DroidTokens } from "./credential.ts";

/** The public client of Factory's command line: accounts are only issued to it. */
const CLIENT_ID = "client_01HNM792M5G5G1A2THWPXKFMXB";
const TOKEN_URL = "https://api.workos.com/user_management/authenticate";
const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

/** RFC 8628, section 3.2: where the endpoint names no interval. */
const DEFAULT_INTERVAL_S = 5;
const LIFETIME_S_MAX = 400 * 86_400;
/** Error codes of RFC 6749, section 5.2, and of RFC 8628, section 3.5, that no retry can mend. */
const FINAL_ERRORS = {
  invalid_grant: "The token endpoint refused: invalid_grant",
  invalid_client: "The token endpoint refused: invalid_client",
  unauthorized_client: "The token endpoint refused: unauthorized_client",
  access_denied: "The sign-in was denied at the provider: start it again.",
  expired_token: "The sign-in took too long: start it again.",
} as const;

const deviceSchema = z.object({
  device_code: z.string().min(1).max(2000),
  user_code: z.string().min(1).max(100),
  verification_uri: z.url({ protocol: /^https?$/ }),
  verification_uri_complete: z.url({ protocol: /^https?$/ }).optional(),
  expires_in: z.number().positive().max(86_400),
  interval: z.number().positive().max(3600).default(DEFAULT_INTERVAL_S),
});

const tokensSchema = z.object({
  access_token: token,
  refresh_token: token.optional(),
  organization_id: organization.nullish(),
  expires_in: z.number().positive().max(LIFETIME_S_MAX).optional(),
});

const errorSchema = z.object({ error: z.string() });
const expirySchema = z.object({
  exp: z
    .number()
    .positive()
    .max(2 ** 40),
});

type Answer =
  | { readonly kind: "ok"; readonly json: unknown }
  /** `code` is what it names as the error; null: nothing. */
  | { readonly kind: "error"; readonly code: string | null; readonly message: string };

async function post(
  url: string,
  form: Readonly<Record<string, string>>,
  { call }: TokenCallContext,
): Promise<Answer> {
  const answer = await call(url, {
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: new URLSearchParams({ ...form, client_id: CLIENT_ID }).toString(),
  }).catch((error: unknown) => (error instanceof Error ? error.message : "unknown error"));
  if (typeof answer === "string") {
    return { kind: "error", code: null, message: `The token endpoint could not be reached: ${answer}` };
  }
  const { status, text } = answer;
  const json = parseJson(text);
  if (status >= 200 && status < 300) return { kind: "ok", json };
  const code = errorSchema.safeParse(json).data?.error ?? null;
  return { kind: "error", code, message: `The token endpoint answered HTTP ${String(status)}` };
}

const NOT_UNDERSTOOD = {
  kind: "failed",
  message: "The token endpoint's answer could not be understood",
} as const;

function failureOf({ code, message }: Extract<Answer, { kind: "error" }>) {
  const final = Object.entries(FINAL_ERRORS).find(([name]) => name === code);
  return final === undefined
    ? ({ kind: "failed", message } as const)
    : ({ kind: "rejected", message: final[1] } as const);
}

export async function startDevice(context: TokenCallContext): Promise<DeviceStart> {
  const tokenUrl = context.tokenUrl ?? TOKEN_URL;
  const answer = await post(tokenUrl.replace(/\/authenticate$/, "/authorize/device"), {}, context);
  if (answer.kind === "error") return { kind: "failed", message: answer.message };
  const parsed = deviceSchema.safeParse(answer.json);
  if (!parsed.success) return NOT_UNDERSTOOD;
  const { device_code, user_code, verification_uri, verification_uri_complete, expires_in, interval } =
    parsed.data;
  return {
    kind: "started",
    deviceCode: device_code,
    userCode: user_code,
    url: verification_uri_complete ?? verification_uri,
    expiresAt: context.now + expires_in * 1000,
    intervalMs: interval * 1000,
  };
}

export async function pollDevice(
  deviceCode: string,
  context: TokenCallContext,
): Promise<DevicePoll<DroidTokens>> {
  const form = { grant_type: DEVICE_GRANT, device_code: deviceCode };
  const answer = await post(context.tokenUrl ?? TOKEN_URL, form, context);
  if (answer.kind === "ok") {
    return readTokens(answer.json, { refreshToken: "", organizationId: null }, context.now);
  }
  const isPending = answer.code === "authorization_pending" || answer.code === "slow_down";
  return isPending ? { kind: "pending", slowDown: answer.code === "slow_down" } : failureOf(answer);
}

export async function refreshTokens(
  credential: DroidTokens,
  context: TokenCallContext,
): Promise<RefreshResult<DroidTokens>> {
  const { refreshToken, organizationId } = credential;
  if (refreshToken === "") {
    return { kind: "rejected", message: "This account has no refresh token: sign in again." };
  }
  const form = {
    grant_type: "refresh_token",
    refresh_token: refreshToken,
    ...(organizationId === null ? {} : { organization_id: organizationId }),
  };
  const answer = await post(context.tokenUrl ?? TOKEN_URL, form, context);
  return answer.kind === "ok" ? readTokens(answer.json, credential, context.now) : failureOf(answer);
}

/** @param previous what the answer may leave out: a refresh token that lives on, an organization that is known */
function readTokens(
  json: unknown,
  previous: Pick<DroidTokens, "refreshToken" | "organizationId">,
  now: number,
): RefreshResult<DroidTokens> {
  const parsed = tokensSchema.safeParse(json);
  if (!parsed.success) return NOT_UNDERSTOOD;
  const { access_token, refresh_token, organization_id, expires_in } = parsed.data;
  return {
    kind: "refreshed",
    credential: {
      accessToken: access_token,
      refreshToken: refresh_token ?? previous.refreshToken,
      expiresAt: expires_in === undefined ? expiryIn(access_token) : now + expires_in * 1000,
      organizationId: organization_id ?? previous.organizationId,
    },
  };
}

/** WorkOS may leave `expires_in` out; its tokens are JWTs that say it themselves. null: nothing says it. */
function expiryIn(accessToken: string): number | null {
  const [, payload = ""] = accessToken.split(".");
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    const parsed = expirySchema.safeParse(claims);
    return parsed.success ? parsed.data.exp * 1000 : null;
  } catch {
    return null;
  }
}
