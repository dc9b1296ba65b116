/** What every account that speaks Anthropic's own API shares: address, header allow-list, model families. Pure. */
import type { TestCall, UpstreamCall } from "../provider.ts";

/** Anthropic API reference, "Versioning": sent when the client names no version. */
const DEFAULT_ANTHROPIC_VERSION = "2023-06-01";

/** Client headers that go on; all others stay here (credentials, cookies and proxy headers above all). */
const FORWARDED_HEADERS = [
  "accept",
  "accept-language",
  "anthropic-beta",
  "anthropic-dangerous-direct-browser-access",
  "anthropic-version",
  "content-type",
  "user-agent",
  "x-app",
  "x-claude-code-session-id",
  // What the vendor's SDKs say of themselves.
  "x-stainless-arch",
  "x-stainless-helper-method",
  "x-stainless-lang",
  "x-stainless-os",
  "x-stainless-package-version",
  "x-stainless-retry-count",
  "x-stainless-runtime",
  "x-stainless-runtime-version",
  "x-stainless-timeout",
] as const;

/** The client's headers that an upstream may see. */
export function forwardedHeaders(client: Headers): Headers {
  const headers = new Headers();
  for (const name of FORWARDED_HEADERS) {
    const value = client.get(name);
    if (value !== null) headers.set(name, value);
  }
  if (!headers.has("anthropic-version")) headers.set("anthropic-version", DEFAULT_ANTHROPIC_VERSION);
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  // Events inside a compressed stream would wait for the compressor's window.
  headers.set("accept-encoding", "identity");
  return headers;
}

/**
 * The upstream address of a call. People enter base URLs in three forms, and all mean the same: with nothing
 * behind the host, with `/v1`, and with the whole `/v1/messages`.
 */
export function upstreamUrl(baseUrl: string, call: Pick<UpstreamCall, "path" | "query">): string {
  const base = baseUrl.replace(/\/+$/, "").replace(/\/v1(?:\/messages)?$/, "");
  return `${base}${call.path}${call.query === "" ? "" : `?${call.query}`}`;
}

const FAMILIES = ["opus", "sonnet", "haiku", "fable"] as const;

/** Anthropic limits some families apart (a weekly Opus limit, for one). */
export function modelFamily(model: string): string | null {
  const name = model.toLowerCase();
  return FAMILIES.find((family) => name.includes(family)) ?? null;
}

/** Costs nothing and needs a credential that works (API reference, "List models"). */
export const MODELS_CALL = { path: "/v1/models", query: "limit=1" } as const;

const TEST_MODEL = "claude-haiku-4-5-20251001";

/** A one-token call in Anthropic's cheapest current model. */
export const testCall = (): TestCall => ({
  protocol: "anthropic",
  operation: "generate",
  model: TEST_MODEL,
  stream: false,
  path: "/v1/messages",
  query: "",
  body: new TextEncoder().encode(
    JSON.stringify({ model: TEST_MODEL, max_tokens: 1, messages: [{ role: "user", content: "Hi" }] }),
  ),
});
