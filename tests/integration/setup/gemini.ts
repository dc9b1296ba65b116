/** Accounts of Google at the fake upstream, and calls in Google's dialect. */
import type { UsageView } from "../../../worker/domain/usage.ts";
import type { OAuthSeed } from "../../upstream/control-types.ts";
import { createPool, fetchRelay, unique, upstream, type TestAccount, type TestKey } from "./relay.ts";

export const MODEL = "gemini-2.5-pro";

/** One account with an API key at least, in a group of their own, and a key bound to it. */
export async function createGeminiPool(
  overrides: readonly Record<string, unknown>[] = [{}],
  keyOverrides: Record<string, unknown> = {},
): Promise<{ accounts: TestAccount[]; key: TestKey }> {
  const secrets = overrides.map(() => unique("AIza-test"));
  const { accounts, key } = await createPool(
    overrides.map((each, index) => ({
      provider: "gemini-api",
      credential: { apiKey: secrets[index] },
      ...each,
    })),
    keyOverrides,
  );
  return {
    accounts: accounts.map((account, index) => ({ ...account, secret: secrets[index] ?? "" })),
    key,
  };
}

export async function createGeminiPair(
  overrides: Record<string, unknown> = {},
  keyOverrides: Record<string, unknown> = {},
): Promise<{ account: TestAccount; key: TestKey }> {
  const { accounts, key } = await createGeminiPool([overrides], keyOverrides);
  const [account] = accounts;
  if (account === undefined) throw new Error("no account");
  return { account, key };
}

/** A Google account whose token is good, or was a moment ago. */
export async function createGoogleAccount(seed: Partial<OAuthSeed> = {}, expiresInMs = 3_600_000) {
  const family = unique("google");
  const [accessToken, refreshToken] = [unique("ya29"), unique("1//refresh")];
  await upstream.seedOAuth({
    family,
    accessToken,
    refreshToken,
    expiresInS: Math.round(expiresInMs / 1000),
    refreshedExpiresInS: 3600,
    strict: true,
    rotates: false,
    ...seed,
  });
  const { account, key } = await createGeminiPair({
    provider: "gemini-oauth",
    credential: { accessToken, refreshToken, expiresAt: Date.now() + expiresInMs, projectId: "project-1" },
    tokenUrl: `${upstream.url}/oauth/token`,
  });
  return { family, accessToken, refreshToken, account, key };
}

export interface GeminiOptions {
  /** Behind the relay's origin; the model's generateContent when absent. */
  readonly path?: string;
  readonly body?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

export const CONTENTS = [{ role: "user", parts: [{ text: "Hello" }] }];

export const generate = (key: { readonly key: string }, options: GeminiOptions = {}): Promise<Response> =>
  fetchRelay(options.path ?? `/gemini/v1beta/models/${MODEL}:generateContent`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-goog-api-key": key.key, ...options.headers },
    body: JSON.stringify({ contents: CONTENTS, ...options.body }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });

export const SSE_PATH = `/gemini/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`;
export const ARRAY_PATH = `/gemini/v1beta/models/${MODEL}:streamGenerateContent`;

/** What a stream said, message by message. Throws when an array is not whole. */
export function messagesOf(path: string, text: string): unknown[] {
  if (!path.includes("alt=sse")) return JSON.parse(text) as unknown[];
  return [...text.matchAll(/^data: (.*?)\r?$/gm)].flatMap(([, data = ""]) => {
    try {
      return [JSON.parse(data) as unknown];
    } catch {
      return [];
    }
  });
}

export const tokensOf = (record: UsageView | undefined) => {
  if (record === undefined) throw new Error("nothing was booked");
  return record.tokens;
};
