/** The token calls of Claude's OAuth: exchange of a code and refresh, both JSON (RFC 6749 with PKCE, RFC 7636). */
import { parseJson } from "../../domain/json.ts";
import { z } from "zod";
import { SECRET_FIELD } from "../../domain/form.ts";
import type { RefreshResult, TokenCallContext } from "../provider.ts";

/** The public client of Claude Code: subscriptions are only issued to it. */
export const CLIENT_ID = "9d1c250a-e61b-44d9-88ed-5944d1962f5e";
export const REDIRECT_URI = "https://platform.claude.com/oauth/code/callback";
const TOKEN_URL = "https://platform.claude.com/v1/oauth/token";
/** Assumed when the endpoint does not say how long a token lives. */
const DEFAULT_LIFETIME_S = 3600;

const token = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]{1,4000}$/, "must be printable ASCII without spaces");

const tokenOrNone = z.union([token, z.literal("")]).default("");

const fields = z.strictObject({
  /** Empty only as it is entered: a refresh token alone is exchanged at once. */
  accessToken: tokenOrNone.meta({ title: "Access token", description: "sk-ant-oat01-…", ...SECRET_FIELD }),
  /** Empty for setup tokens, which live a year and cannot be renewed. */
  refreshToken: tokenOrNone.meta({ title: "Refresh token", description: "sk-ant-ort01-…", ...SECRET_FIELD }),
  expiresAt: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .meta({ title: "Expires at", description: "ms since 1970; empty: unknown" }),
});
export type ClaudeOAuthCredential = z.infer<typeof fields>;

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

export async function callTokenEndpoint(
  body: Readonly<Record<string, string | number>>,
  previousRefreshToken: string,
  context: TokenCallContext,
): Promise<RefreshResult<ClaudeOAuthCredential>> {
  const answer = await context
    .call(context.tokenUrl ?? TOKEN_URL, {
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ ...body, client_id: CLIENT_ID }),
    })
    .catch((error: unknown) => messageOf(error));
  if (typeof answer === "string") {
    return { kind: "failed", message: `The token endpoint could not be reached: ${answer}` };
  }
  const { status, text } = answer;
  if (status >= 200 && status < 300) return readTokens(text, previousRefreshToken, context.now);
  const code = errorCodeOf(text);
  return code !== null && FINAL_ERRORS.includes(code)
    ? { kind: "rejected", message: `The token endpoint refused: ${code}` }
    : { kind: "failed", message: `The token endpoint answered HTTP ${String(status)}` };
}

function readTokens(
  text: string,
  previousRefreshToken: string,
  now: number,
): RefreshResult<ClaudeOAuthCredential> {
  const parsed = tokenAnswerSchema.safeParse(parseJson(text));
  if (!parsed.success)
    return { kind: "failed", message: "The token endpoint's answer could not be understood" };
  const { access_token, refresh_token, expires_in } = parsed.data;
  return {
    kind: "refreshed",
    credential: {
      accessToken: access_token,
      // The refresh token rotates; an endpoint that sends none lets the old one live.
      refreshToken: refresh_token ?? previousRefreshToken,
      expiresAt: now + (expires_in ?? DEFAULT_LIFETIME_S) * 1000,
    },
  };
}

const errorSchema = z.object({ error: z.union([z.string(), z.object({ type: z.string() })]) });

function errorCodeOf(text: string): string | null {
  const parsed = errorSchema.safeParse(parseJson(text));
  if (!parsed.success) return null;
  return typeof parsed.data.error === "string" ? parsed.data.error : parsed.data.error.type;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : "unknown error");
