/** Factory's API: other vendors' dialects at places of its own, with headers that it works by. Pure. */
import type { Dialect } from "./dialect.ts";
import { textOf, type JsonRecord } from "./record.ts";

export type FactoryRequest = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonRecord;
};

const CALL = /\/api\/llm\/(a\/v1\/(?:messages|models)|o\/v1\/(?:responses|chat\/completions))$/;
const BELOW = /\/api\/llm\//;

/** null: it is no path of Factory's; empty: one that it does not have. */
export const factoryPlaceOf = (path: string): string | null =>
  BELOW.test(path) ? (CALL.exec(path)?.[1] ?? "") : null;

/** Who may serve which model in a chat. */
const CHAT_BACKENDS: Readonly<Record<string, string>> = {
  claude: "anthropic",
  gpt: "azure_openai",
  gemini: "google",
  glm: "fireworks",
};

function backendsAt(place: string, model: string): readonly string[] {
  if (place.startsWith("a/")) return ["anthropic"];
  if (place.endsWith("/responses")) return ["openai", "azure_openai"];
  const word = Object.keys(CHAT_BACKENDS).find((name) => model.includes(name));
  return [word === undefined ? "baseten" : (CHAT_BACKENDS[word] ?? "")];
}

function complaintOf(place: string, { headers, body }: FactoryRequest): string | null {
  if ("x-api-key" in headers || !("authorization" in headers)) return "a bearer token is the way to sign in";
  if (!("x-session-id" in headers)) return "x-session-id header is required";
  if ("metadata" in body) return "metadata: Extra inputs are not permitted";
  const backends = backendsAt(place, textOf(body["model"]));
  return backends.includes(headers["x-api-provider"] ?? "")
    ? null
    : `x-api-provider must be ${backends.join(" or ")}`;
}

export const factoryDialect = (inner: Dialect, place: string): Dialect => ({
  ...inner,
  complaint: (request) => complaintOf(place, request),
});
