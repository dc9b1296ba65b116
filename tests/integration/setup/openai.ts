/** OpenAI accounts at the fake upstream, and calls in both of their dialects. */
import { createPair, createPool, fetchRelay, unique, upstream, type TestAccount } from "./relay.ts";

export const GPT = "gpt-6-sol";
/** A base URL that names nothing behind its host, as people enter it. */
const provider = { provider: "openai-responses" };

/** An account needs a secret of its own: it is what the fake's behaviours are ordered by. */
export function openAiAccount(overrides: Record<string, unknown> = {}) {
  const secret = unique("sk-test");
  return { secret, input: { ...provider, credential: { apiKey: secret }, ...overrides } };
}

export async function createOpenAiPair(
  accountOverrides: Record<string, unknown> = {},
  keyOverrides: Record<string, unknown> = {},
) {
  const { secret, input } = openAiAccount(accountOverrides);
  const { account, key } = await createPair(input, keyOverrides);
  return { account: { ...account, secret } satisfies TestAccount, key };
}

/** Two accounts, of which the first is tried first. */
export async function createOpenAiPool() {
  const [first, second] = [openAiAccount({ priority: 1 }), openAiAccount({ priority: 2 })];
  const { accounts, key } = await createPool([first.input, second.input]);
  const [a, b] = accounts;
  if (a === undefined || b === undefined) throw new Error("no accounts");
  return { first: { ...a, secret: first.secret }, second: { ...b, secret: second.secret }, key };
}

export interface OpenAiCall {
  readonly path?: string;
  readonly body?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

const post = (key: { readonly key: string }, path: string, body: unknown, options: OpenAiCall) =>
  fetchRelay(path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${key.key}`,
      ...options.headers,
    },
    body: JSON.stringify(body),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });

export const respond = (key: { readonly key: string }, options: OpenAiCall = {}) =>
  post(key, options.path ?? "/v1/responses", { model: GPT, input: "Hello", ...options.body }, options);

export const chat = (key: { readonly key: string }, options: OpenAiCall = {}) =>
  post(
    key,
    options.path ?? "/v1/chat/completions",
    { model: GPT, messages: [{ role: "user", content: "Hello" }], ...options.body },
    options,
  );

/** The dialects by name, for tests that hold for both. */
export const DIALECTS = [
  { name: "Responses", call: respond, end: "response.completed" },
  { name: "Chat Completions", call: chat, end: "[DONE]" },
] as const;

/** What the upstream itself says to a call, to hold a relayed answer against. */
export const askUpstream = (secret: string, path: string, body: unknown) =>
  fetch(upstream.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify(body),
  });
