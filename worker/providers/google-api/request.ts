/** What every account of Google shares: the headers and the query that go on. Pure. */
import type { TestCall } from "../provider.ts";

/**
 * Client headers that go on. `x-goog-fieldmask` is not among them: it could keep usage out of the answer; nor is
 * `x-goog-user-project`, which names who pays.
 */
const FORWARDED_HEADERS = [
  "accept",
  "accept-language",
  "content-type",
  "user-agent",
  "x-goog-api-client",
  "x-server-timeout",
] as const;

export function forwardedHeaders(client: Headers): Headers {
  const headers = new Headers();
  for (const name of FORWARDED_HEADERS) {
    const value = client.get(name);
    if (value !== null) headers.set(name, value);
  }
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  // Events inside a compressed stream would wait for the compressor's window.
  headers.set("accept-encoding", "identity");
  return headers;
}

/**
 * Of the query only the form of the answer goes on. Google's query may also carry credentials (`access_token`),
 * headers (`$httpHeaders`) and a field mask (`fields`), which could keep usage out of the answer.
 */
export function withForwardedQuery(url: string, query: string): string {
  const alt = query === "" ? null : new URLSearchParams(query).get("alt");
  return alt === "sse" || alt === "json" ? `${url}?alt=${alt}` : url;
}

const TEST_MODEL = "gemini-2.5-flash-lite";

/** A one-token call in Google's cheapest current model. */
export const testCall = (): TestCall => ({
  protocol: "gemini",
  operation: "generate",
  model: TEST_MODEL,
  stream: false,
  path: `/v1beta/models/${TEST_MODEL}:generateContent`,
  query: "",
  body: new TextEncoder().encode(
    JSON.stringify({
      contents: [{ role: "user", parts: [{ text: "Hi" }] }],
      generationConfig: { maxOutputTokens: 1 },
    }),
  ),
});
