/**
 * Which ChatGPT account a token belongs to. The claims of a token are read and not verified: nothing is allowed by
 * them, and the backend itself checks the header they go into against the access token. Pure.
 */
import { fromBase64 } from "../../domain/encoding.ts";
import { z } from "zod";

const claimsSchema = z.object({
  "https://api.openai.com/auth": z.object({ chatgpt_account_id: z.string().regex(/^[\w-]{1,100}$/) }),
});
const TOKEN_LENGTH_MAX = 20_000;

/** null where it is no token, or names no account that could stand in a header. */
export function accountIdIn(token: string): string | null {
  if (token.length > TOKEN_LENGTH_MAX) return null;
  const [, payload = ""] = token.split(".");
  try {
    const claims: unknown = JSON.parse(new TextDecoder().decode(fromBase64(payload)));
    const parsed = claimsSchema.safeParse(claims);
    return parsed.success ? parsed.data["https://api.openai.com/auth"].chatgpt_account_id : null;
  } catch {
    return null;
  }
}
