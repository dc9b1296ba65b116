/** The Gemini API with an API key, or any endpoint that speaks it with a key of its own. */
import { z } from "zod";
import { SECRET_FIELD } from "../../domain/form.ts";
import { readModelPath } from "../../protocols/gemini/paths.ts";
import { judgeGoogleEvent, judgeGoogleKey } from "../google-api/judge.ts";
import { forwardedHeaders, testCall, withForwardedQuery } from "../google-api/request.ts";
import { defineProvider } from "../provider.ts";

const credentialSchema = z.strictObject({
  apiKey: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]{1,500}$/, "must be printable ASCII without spaces")
    .meta({
      title: "API key",
      description: "AIza… of aistudio.google.com, or the endpoint's own key",
      ...SECRET_FIELD,
    }),
});

const DEFAULT_BASE_URL = "https://generativelanguage.googleapis.com";
const DEFAULT_PARENT = "/v1beta/models/";
/** Only Vertex AI knows models by their publisher. */
const VERTEX_PARENT = /\/publishers\/google\/models\/$/;
const VERTEX_HOST = /^https:\/\/([a-z0-9-]+-)?aiplatform\.googleapis\.com$/;

/**
 * The upstream address of a call. Base URLs come in four forms: what stands before `/v1beta`; the same with
 * `/v1beta` or `/v1`; all that stands before the model, ending in `/models`; a template with `{model}` and
 * `{action}`.
 */
export function upstreamUrl(baseUrl: string | null, path: string): string {
  const base = (baseUrl ?? DEFAULT_BASE_URL).replace(/\/+$/, "");
  const target = readModelPath(path);
  if (target === null) return `${base}${path}`;
  const { parent, model, method } = target;
  if (base.includes("{model}")) return base.replace("{model}", model).replace("{action}", method);
  if (base.endsWith("/models")) return `${base}/${model}:${method}`;
  const host = base.replace(/\/v1(beta)?$/, "");
  const isForeign = VERTEX_PARENT.test(parent) && !VERTEX_HOST.test(host);
  return `${host}${isForeign ? DEFAULT_PARENT : parent}${model}:${method}`;
}

/** Costs nothing and needs a key that works. */
function modelsUrl(baseUrl: string | null): string {
  const base = (baseUrl ?? DEFAULT_BASE_URL).replace(/\{model\}.*$/, "").replace(/\/+$/, "");
  return base.endsWith("/models") ? base : `${base.replace(/\/v1(beta)?$/, "")}/v1beta/models`;
}

export const geminiApi = defineProvider<z.infer<typeof credentialSchema>>({
  id: "gemini-api",
  label: "Gemini API key",
  service: "gemini",
  protocols: ["gemini"],
  credentialSchema,
  defaultBaseUrl: DEFAULT_BASE_URL,
  vendor: "google",
  // Google counts each model by itself.
  modelFamily: () => null,
  createRequest(call, { apiKey }, baseUrl) {
    const headers = forwardedHeaders(call.headers);
    // In a header and never in the query, which ends up in logs.
    headers.set("x-goog-api-key", apiKey);
    return {
      url: withForwardedQuery(upstreamUrl(baseUrl, call.path), call.query),
      headers,
      body: call.body,
    };
  },
  judge: judgeGoogleKey,
  readWindows: () => null,
  judgeEvent: judgeGoogleEvent,
  expiresAt: () => null,
  probe({ apiKey }, baseUrl) {
    const headers = forwardedHeaders(new Headers());
    headers.set("x-goog-api-key", apiKey);
    return { url: `${modelsUrl(baseUrl)}?pageSize=1`, headers };
  },
  testCall,
});
