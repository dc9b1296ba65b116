/** What every account that speaks OpenAI's dialects shares: header allow-list, address, key, test calls. Pure. */
import { z } from "zod";
import type { TestCall, UpstreamCall } from "../provider.ts";

/** Client headers that go on; all others stay here (credentials, cookies and proxy headers above all). */
const FORWARDED_HEADERS = [
  "accept",
  "accept-language",
  "content-type",
  "conversation_id",
  "openai-beta",
  "originator",
  "session-id",
  "session_id",
  "thread-id",
  "user-agent",
  "version",
  "x-client-request-id",
] as const;
/** What Codex says of its turn, and the vendor's SDKs of themselves. */
const FORWARDED_FAMILY = /^x-(?:codex|stainless)-[a-z-]{1,60}$/;

/** The client's headers that an upstream may see. */
export function forwardedHeaders(client: Headers): Headers {
  const headers = new Headers();
  for (const name of FORWARDED_HEADERS) {
    const value = client.get(name);
    if (value !== null) headers.set(name, value);
  }
  for (const [name, value] of client) if (FORWARDED_FAMILY.test(name)) headers.set(name, value);
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  // Events inside a compressed stream would wait for the compressor's window.
  headers.set("accept-encoding", "identity");
  return headers;
}

/** The call's path as it stands behind a base URL: `/responses`, `/chat/completions`. */
export const operationPath = ({ path }: Pick<UpstreamCall, "path">): string =>
  path.replace(/^\/v1(?=\/)/, "");

/** What people append that belongs to the call and not to the base. */
const OPERATION = /\/(?:responses|chat\/completions)$/;

/**
 * The upstream address of a call: a base URL is what comes before `/responses`. One that names nothing behind its
 * host means the `/v1` that OpenAI and those who copy it have there.
 */
export function upstreamUrl(baseUrl: string, call: Pick<UpstreamCall, "path" | "query">): string {
  const base = baseUrl.replace(/\/+$/, "").replace(OPERATION, "");
  const root = /^[a-z]+:\/\/[^/]+$/i.test(base) ? `${base}/v1` : base;
  return `${root}${operationPath(call)}${call.query === "" ? "" : `?${call.query}`}`;
}

export const apiKeySchema = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]{1,500}$/, "must be printable ASCII without spaces");

/** OpenAI limits each model apart, and says so in its texts, so there are no families to rest. */
export const modelFamily = (): null => null;

export const MODELS_CALL = { path: "/models", query: "" } as const;

/** OpenAI's cheapest current model. */
export const TEST_MODEL = "gpt-6-luna";

const encoded = (body: unknown) => new TextEncoder().encode(JSON.stringify(body));

/** The shortest answer that the Responses API allows has sixteen tokens. */
const TEST_TOKENS = 16;

export const responsesTestCall = (model = TEST_MODEL): TestCall => ({
  protocol: "openai-responses",
  operation: "generate",
  model,
  stream: false,
  path: "/responses",
  query: "",
  body: encoded({ model, input: "Hi", max_output_tokens: TEST_TOKENS }),
});

export const chatTestCall = (model = TEST_MODEL): TestCall => ({
  protocol: "openai-chat",
  operation: "generate",
  model,
  stream: false,
  path: "/chat/completions",
  query: "",
  body: encoded({
    model,
    messages: [{ role: "user", content: "Hi" }],
    max_completion_tokens: TEST_TOKENS,
  }),
});
