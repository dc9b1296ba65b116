/** One account and key for each way in which clients speak, for tests that hold for all of them. */
import type { Behaviour } from "../../upstream/behaviour.ts";
import { invalidRequest, openAiError, overloaded, rateLimited } from "../../upstream/behaviour.ts";
import { googleStatus, modelOverloaded, quotaExceeded } from "../../upstream/google/behaviours.ts";
import { CONTENTS, createGeminiPair, createGoogleAccount, generate, MODEL, SSE_PATH } from "./gemini.ts";
import { chat, createOpenAiPair, respond } from "./openai.ts";
import { createPair, fetchRelay, stream, type TestAccount, type TestKey } from "./relay.ts";

export interface Scene {
  /** The name under which the fake keeps the account's behaviours. */
  readonly subject: string;
  readonly account: Pick<TestAccount, "id">;
  readonly key: TestKey;
}

export interface Speaker {
  readonly name: string;
  readonly open: () => Promise<Scene>;
  /** A call that is answered by a stream. */
  readonly ask: (key: TestKey) => Promise<Response>;
  /** Stands in the last event that a client waits for, and in none before. */
  readonly terminal: string;
  /** Whether its clients bear comments between the events. */
  readonly bearsComments: boolean;
  /** What its upstream says when it is overloaded, and the status that the client gets. */
  readonly overload: { readonly behaviour: Behaviour; readonly status: number };
  /** What its upstream says when a limit is reached. */
  readonly limited: (retryAfterS: number) => Behaviour;
  /** A fault of the request in its upstream's words. */
  readonly refusal: (status: number, message: string) => Behaviour;
}

async function openPair(
  create: () => Promise<{ readonly account: TestAccount; readonly key: TestKey }>,
): Promise<Scene> {
  const { account, key } = await create();
  return { subject: account.secret, account, key };
}

const OPENAI = {
  open: () => openPair(createOpenAiPair),
  bearsComments: true,
  overload: { behaviour: openAiError(503, { code: "server_is_overloaded" }), status: 503 },
  limited: (retryAfterS: number) =>
    openAiError(429, { code: "rate_limit_exceeded" }, { "retry-after": String(retryAfterS) }),
  refusal: (status: number, message: string) => openAiError(status, { code: "invalid_value", message }),
} as const;

const GOOGLE = {
  bearsComments: false,
  terminal: '"finishReason"',
  overload: { behaviour: modelOverloaded(), status: 503 },
  limited: (retryAfterS: number) =>
    quotaExceeded("GenerateRequestsPerMinutePerProjectPerModel", `${String(retryAfterS)}s`),
  refusal: (status: number, message: string) => googleStatus(status, "INVALID_ARGUMENT", message),
} as const;

export const SPEAKERS: readonly Speaker[] = [
  {
    name: "Messages",
    open: () => openPair(createPair),
    ask: stream,
    terminal: '"message_stop"}',
    bearsComments: true,
    overload: { behaviour: overloaded(), status: 529 },
    limited: (retryAfterS) => rateLimited({ retryAfterS }),
    refusal: (status, message) => ({ ...invalidRequest(message), status }),
  },
  {
    ...OPENAI,
    name: "Responses",
    ask: (key) => respond(key, { body: { stream: true } }),
    terminal: '"type":"response.completed"',
  },
  {
    ...OPENAI,
    name: "Chat Completions",
    ask: (key) => chat(key, { body: { stream: true, stream_options: { include_usage: true } } }),
    terminal: '"choices":[]',
  },
  {
    ...GOOGLE,
    name: "Gemini",
    open: () => openPair(createGeminiPair),
    ask: (key) => generate(key, { path: SSE_PATH }),
  },
  {
    ...GOOGLE,
    name: "Code Assist",
    async open() {
      const { family, account, key } = await createGoogleAccount();
      return { subject: family, account, key };
    },
    ask: ({ key }) =>
      fetchRelay("/v1internal:streamGenerateContent?alt=sse", {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
        body: JSON.stringify({ model: MODEL, request: { contents: CONTENTS } }),
      }),
  },
];
