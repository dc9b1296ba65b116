/** Accounts of Factory at the fake upstream, and calls in each of their dialects. */
import { createPair, fetchRelay, MODEL, unique, upstream } from "./relay.ts";

const GPT = "gpt-6-sol";

/** An account with keys of its own: they are what the fake's behaviours are ordered by. */
export async function createKeys(
  apiKeys: readonly string[] = [unique("fk-test")],
  keyOverrides: Record<string, unknown> = {},
  accountOverrides: Record<string, unknown> = {},
) {
  const input = { provider: "droid", credential: { apiKeys }, ...accountOverrides };
  return { apiKeys, ...(await createPair(input, keyOverrides)) };
}

/** An account whose person signed in. */
export async function createSignedIn(expiresInMs: number, seed: { readonly expiresInS?: number } = {}) {
  const family = unique("family");
  const [accessToken, refreshToken] = [unique("access"), unique("refresh")];
  const expiresInS = Math.round(expiresInMs / 1000);
  await upstream.seedOAuth({
    family,
    accessToken,
    refreshToken,
    expiresInS,
    refreshedExpiresInS: 8 * 3600,
    strict: true,
    refreshBehaviours: [{ delayMs: 100 }],
    ...seed,
  });
  const pair = await createPair({
    provider: "droid",
    credential: { accessToken, refreshToken, expiresAt: Date.now() + expiresInMs },
    tokenUrl: `${upstream.url}/user_management/authenticate`,
  });
  return { family, accessToken, ...pair };
}

export interface DroidCall {
  readonly body?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
}

const caller =
  (path: string, body: Record<string, unknown>) =>
  (key: { readonly key: string }, options: DroidCall = {}): Promise<Response> =>
    fetchRelay(path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${key.key}`,
        ...options.headers,
      },
      body: JSON.stringify({ ...body, ...options.body }),
    });

const MESSAGES = [{ role: "user", content: "Hello" }];

/** The dialects with the client's path, Factory's, and the end of a stream. */
export const DROID_DIALECTS = [
  {
    name: "Messages",
    prefix: "/droid/claude",
    call: caller("/droid/claude/v1/messages", { model: MODEL, max_tokens: 100, messages: MESSAGES }),
    model: MODEL,
    place: "/api/llm/a/v1/messages",
    backend: "anthropic",
    end: "message_stop",
  },
  {
    name: "Responses",
    prefix: "/droid/openai",
    call: caller("/droid/openai/v1/responses", { model: GPT, input: "Hello" }),
    model: GPT,
    place: "/api/llm/o/v1/responses",
    backend: "azure_openai",
    end: "response.completed",
  },
  {
    name: "Responses, without a version in the path",
    prefix: "/droid/openai",
    call: caller("/droid/openai/responses", { model: GPT, input: "Hello" }),
    model: GPT,
    place: "/api/llm/o/v1/responses",
    backend: "azure_openai",
    end: "response.completed",
  },
  {
    name: "Chat Completions",
    prefix: "/droid/comm",
    call: caller("/droid/comm/v1/chat/completions", { model: GPT, messages: MESSAGES }),
    model: GPT,
    place: "/api/llm/o/v1/chat/completions",
    backend: "azure_openai",
    end: "[DONE]",
  },
] as const;
