/** The token calls of ChatGPT's OAuth: exchange of a code and refresh, both form-encoded (RFC 6749, RFC 7636). */
import { parseJson } from "../../domain/json.ts";
import { z } from "zod";
import { SECRET_FIELD } from "../../domain/form.ts";
import type { RefreshResult, TokenCallContext } from "../provider.ts";
import { accountIdIn } from "./claims.ts";

/** The public client of Codex: plans are only opened to it. */
export const CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann";
export const REDIRECT_URI = "http://localhost:1455/auth/callback";
const TOKEN_URL = "https://auth.openai.com/oauth/token";
/** Assumed when the endpoint does not say how long a token lives. */
const DEFAULT_LIFETIME_S = 3600;
const LIFETIME_S_MAX = 400 * 86_400;

const token = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]{1,8000}$/, "must be printable ASCII without spaces");

const fields = z.strictObject({
  /** Empty only as it is entered: a refresh token alone is exchanged at once. */
  accessToken: z
    .union([token, z.literal("")])
    .default("")
    .meta({
      title: "Access token",
      description: "tokens.access_token of Codex's auth.json",
      ...SECRET_FIELD,
    }),
  /** Empty where only an access token is known, which then cannot be renewed. */
  refreshToken: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]{0,8000}$/, "must be printable ASCII without spaces")
    .default("")
    .meta({
      title: "Refresh token",
      description: "tokens.refresh_token of Codex's auth.json",
      ...SECRET_FIELD,
    }),
  expiresAt: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .meta({ title: "Expires at", description: "ms since 1970; empty: unknown" }),
  accountId: z
    .string()
    .trim()
    .regex(/^[\w-]{0,100}$/, "must be an account's id")
    .default("")
    .meta({ title: "ChatGPT account", description: "tokens.account_id of Codex's auth.json; may be empty" }),
});
export type OpenAiOAuthCredential = z.infer<typeof fields>;

export const credentialSchema = fields.refine(
  ({ accessToken, refreshToken }) => accessToken !== "" || refreshToken !== "",
  { message: "needs an access token, a refresh token, or both" },
);

const tokenAnswerSchema = z.object({
  access_token: token,
  refresh_token: token.optional(),
  id_token: z.string().optional(),
  expires_in: z.number().positive().max(LIFETIME_S_MAX).optional(),
});

/** Refusals that no retry can mend: those of RFC 6749, section 5.2, and OpenAI's own of rotated tokens. */
const FINAL_ERRORS = [
  "invalid_grant",
  "invalid_client",
  "unauthorized_client",
  "refresh_token_expired",
  "refresh_token_reused",
  "refresh_token_invalidated",
];

/** @param previous what the answer may leave out: a refresh token that lives on, an account that is known */
export async function callTokenEndpoint(
  grant: Readonly<Record<string, string>>,
  previous: Pick<OpenAiOAuthCredential, "refreshToken" | "accountId">,
  context: TokenCallContext,
): Promise<RefreshResult<OpenAiOAuthCredential>> {
  const answer = await context
    .call(context.tokenUrl ?? TOKEN_URL, {
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: new URLSearchParams({ ...grant, client_id: CLIENT_ID }).toString(),
    })
    .catch((error: unknown) => (error instanceof Error ? error.message : "unknown error"));
  if (typeof answer === "string") {
    return { kind: "failed", message: `The token endpoint could not be reached: ${answer}` };
  }
  const { status, text } = answer;
  if (status >= 200 && status < 300) return readTokens(text, previous, context.now);
  const code = errorCodeOf(text);
  return code !== null && FINAL_ERRORS.includes(code)
    ? { kind: "rejected", message: `The token endpoint refused: ${code}` }
    : { kind: "failed", message: `The token endpoint answered HTTP ${String(status)}` };
}

function readTokens(
  text: string,
  previous: Pick<OpenAiOAuthCredential, "refreshToken" | "accountId">,
  now: number,
): RefreshResult<OpenAiOAuthCredential> {
  const parsed = tokenAnswerSchema.safeParse(parseJson(text));
  if (!parsed.success)
    return { kind: "failed", message: "The token endpoint's answer could not be understood" };
  const { access_token, refresh_token, id_token, expires_in } = parsed.data;
  return {
    kind: "refreshed",
    credential: {
      accessToken: access_token,
      refreshToken: refresh_token ?? previous.refreshToken,
      expiresAt: now + (expires_in ?? DEFAULT_LIFETIME_S) * 1000,
      accountId: (id_token === undefined ? null : accountIdIn(id_token)) ?? previous.accountId,
    },
  };
}

const errorSchema = z.object({
  error: z.union([z.string(), z.object({ code: z.string() }), z.object({ type: z.string() })]),
});

function errorCodeOf(text: string): string | null {
  const parsed = errorSchema.safeParse(parseJson(text));
  if (!parsed.success) return null;
  const { error } = parsed.data;
  if (typeof error === "string") return error;
  return "code" in error ? error.code : error.type;
}
