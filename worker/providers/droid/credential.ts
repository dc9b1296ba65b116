/** What signs an account in at Factory: API keys that share the work, or the tokens of a person's sign-in. Pure. */
import { z } from "zod";
import { SECRET_FIELD, SECRET_LIST } from "../../domain/form.ts";
import { hash32 } from "../../domain/hash32.ts";
import type { RefreshResult } from "../provider.ts";

/** More are another account: each refused key costs the call that finds it one attempt. */
const KEYS_MAX = 50;

const secret = (lengthMax: number) =>
  z
    .string()
    .trim()
    .regex(new RegExp(`^[\\x21-\\x7e]{1,${String(lengthMax)}}$`), "must be printable ASCII without spaces");

const apiKey = secret(500);
export const token = secret(4000);
export const organization = z.string().regex(/^[\w-]{1,100}$/, "must be an organization's id");

const NEEDS = "needs either apiKeys (1 to 50, without spaces), or accessToken with refreshToken";

const keysOf = (apiKeys: readonly string[]) => ({ apiKeys: [...new Set(apiKeys)], refused: [] as string[] });

const keys = z
  .strictObject({
    apiKeys: z
      .array(apiKey)
      .min(1)
      .max(KEYS_MAX)
      .meta({
        title: "API keys",
        description: "fk-… of app.factory.ai, one a line; each conversation stays with one of them",
        ...SECRET_LIST,
      }),
  })
  .transform(({ apiKeys }) => keysOf(apiKeys))
  .meta({ title: "API keys" });

const oneKey = z
  .strictObject({
    apiKey: apiKey.meta({ title: "API key", description: "fk-… of app.factory.ai", ...SECRET_FIELD }),
  })
  .transform((entered) => keysOf([entered.apiKey]))
  .meta({ title: "One API key" });

const tokenOrNone = z.union([token, z.literal("")]).default("");

const tokens = z
  .strictObject({
    /** Empty only as it is entered: a refresh token alone is exchanged at once. */
    accessToken: tokenOrNone.meta({ title: "Access token", ...SECRET_FIELD }),
    refreshToken: tokenOrNone.meta({ title: "Refresh token", ...SECRET_FIELD }),
    expiresAt: z
      .int()
      .min(0)
      .nullable()
      .default(null)
      .meta({ title: "Expires at", description: "ms since 1970; empty: unknown" }),
    organizationId: organization.nullable().default(null).meta({
      title: "Organization",
      description: "org_…, where the person belongs to several; empty: the one of the sign-in",
    }),
  })
  .refine(({ accessToken, refreshToken }) => accessToken !== "" || refreshToken !== "", NEEDS)
  .meta({ title: "Tokens" });

export const credentialSchema = z.union([keys, tokens, oneKey], { error: NEEDS });

/** Keys in the order in which they were entered; `refused` names those that the upstream does not take any more. */
export type DroidKeys = z.infer<typeof keys>;
export type DroidTokens = z.infer<typeof tokens>;
export type DroidCredential = DroidKeys | DroidTokens;

export const isKeys = (credential: DroidCredential): credential is DroidKeys => "apiKeys" in credential;

export interface ChosenKey {
  readonly apiKey: string;
  /** Its place among the keys: no secret, and good for as long as nobody enters others. */
  readonly part: string;
}

const keysInUse = ({ apiKeys, refused }: DroidKeys): ChosenKey[] =>
  apiKeys
    .map((entered, place) => ({ apiKey: entered, part: String(place) }))
    .filter(({ part }) => !refused.includes(part));

/**
 * The key for a conversation, by rendezvous hashing: a key that comes or goes moves only the conversations that are
 * its own. null: none is left.
 */
export function keyFor(credential: DroidKeys, subject: string): ChosenKey | null {
  const seed = hash32(subject, 0);
  const ranked = keysInUse(credential)
    .map((key) => ({ key, score: hash32(key.apiKey, seed) }))
    .sort((a, b) => a.score - b.score);
  return ranked[0]?.key ?? null;
}

/** @param refusedPart null: a person asks, so all keys get another chance */
export function withoutKey(
  credential: DroidKeys,
  refusedPart: string | null,
): RefreshResult<DroidCredential> {
  const refused = refusedPart === null ? [] : [...new Set([...credential.refused, refusedPart])];
  const rest = { ...credential, refused };
  return keysInUse(rest).length > 0
    ? { kind: "refreshed", credential: rest }
    : {
        kind: "rejected",
        message: "Every API key of this account was refused: enter new ones.",
        credential: rest,
      };
}

/** Keys without end serve for ever, and those that were all refused never again. */
export function expiresAt(credential: DroidCredential): number | null {
  if (!isKeys(credential)) return credential.expiresAt;
  return keysInUse(credential).length > 0 ? null : 0;
}

export function describeCredential(credential: DroidCredential): Readonly<Record<string, string>> {
  if (!isKeys(credential)) return {};
  const { apiKeys, refused } = credential;
  return { refused: `${String(refused.length)} of ${String(apiKeys.length)} keys` };
}
