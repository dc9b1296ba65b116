/** The token calls of Google's OAuth: exchange of a code and refresh, form encoded (RFC 6749 with PKCE, RFC 7636). */
import { parseJson } from "../../domain/json.ts";
import { z } from "zod";
import { SECRET_FIELD } from "../../domain/form.ts";
import type { RefreshResult, TokenCallContext } from "../provider.ts";

export const PROVIDER_ID = "gemini-oauth";
/** The public client of Gemini CLI: Code Assist knows no other. */
export const CLIENT_ID = "681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com";
export const REDIRECT_URI = "https://codeassist.google.com/authcode";
const TOKEN_URL = "https://oauth2.googleapis.com/token";
/** Assumed when the endpoint does not say how long a token lives. */
const DEFAULT_LIFETIME_S = 3600;

const token = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]{1,4000}$/, "must be printable ASCII without spaces");

const tokenOrNone = z.union([token, z.literal("")]).default("");

const fields = z.strictObject({
  /** Empty only as it is entered: a refresh token alone is exchanged at once. */
  accessToken: tokenOrNone.meta({ title: "Access token", description: "ya29.…", ...SECRET_FIELD }),
  refreshToken: tokenOrNone.meta({ title: "Refresh token", description: "1//…", ...SECRET_FIELD }),
  expiresAt: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .meta({ title: "Expires at", description: "ms since 1970; empty: unknown" }),
  /** Null until it is found, which is tried at sign-in and at each refresh. */
  projectId: z
    .string()
    .trim()
    .regex(/^[a-z0-9.:-]{1,100}$/, "must be a project id")
    .nullable()
    .default(null)
    .meta({ title: "Project id", description: "of Google Cloud; empty: the account's own" }),
});
export type GeminiOAuthCredential = z.infer<typeof fields>;

export const credentialSchema = fields.refine(
  ({ accessToken, refreshToken }) => accessToken !== "" || refreshToken !== "",
  { message: "needs an access token, a refresh token, or both" },
);

const tokenAnswerSchema = z.object({
  access_token: token,
  refresh_token: token.optional(),
  expires_in: z
    .number()
    .positive()
    .max(400 * 86_400)
    .optional(),
});

/** Error codes of RFC 6749, section 5.2, that no retry can mend. */
const FINAL_ERRORS = ["invalid_grant", "invalid_client", "unauthorized_client"];

const failed = (message: string) => ({ kind: "failed", message }) as const;

/** @param previous what the endpoint does not send again */
export async function callTokenEndpoint(
  grant: Readonly<Record<string, string>>,
  previous: Pick<GeminiOAuthCredential, "refreshToken" | "projectId">,
  context: TokenCallContext,
): Promise<RefreshResult<GeminiOAuthCredential>> {
  const clientSecret = context.clientSecrets?.[PROVIDER_ID];
  if (clientSecret === undefined) return failed("GEMINI_OAUTH_CLIENT_SECRET is not set.");
  const form = new URLSearchParams({ ...grant, client_id: CLIENT_ID, client_secret: clientSecret });
  const answer = await context
    .call(context.tokenUrl ?? TOKEN_URL, {
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: form.toString(),
    })
    .catch((error: unknown) => (error instanceof Error ? error.message : "unknown error"));
  if (typeof answer === "string") return failed(`The token endpoint could not be reached: ${answer}`);
  const { status, text } = answer;
  if (status >= 200 && status < 300) return readTokens(text, previous, context.now);
  const code = errorCodeOf(text);
  return code !== null && FINAL_ERRORS.includes(code)
    ? { kind: "rejected", message: `The token endpoint refused: ${code}` }
    : failed(`The token endpoint answered HTTP ${String(status)}`);
}

function readTokens(
  text: string,
  { refreshToken, projectId }: Pick<GeminiOAuthCredential, "refreshToken" | "projectId">,
  now: number,
): RefreshResult<GeminiOAuthCredential> {
  const parsed = tokenAnswerSchema.safeParse(parseJson(text));
  if (!parsed.success) return failed("The token endpoint's answer could not be understood");
  const { access_token, refresh_token, expires_in } = parsed.data;
  return {
    kind: "refreshed",
    credential: {
      accessToken: access_token,
      // Google's refresh token stays as it is, unless a new one is sent.
      refreshToken: refresh_token ?? refreshToken,
      expiresAt: now + (expires_in ?? DEFAULT_LIFETIME_S) * 1000,
      projectId,
    },
  };
}

const errorSchema = z.object({ error: z.string() });

function errorCodeOf(text: string): string | null {
  const parsed = errorSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data.error : null;
}
