/** A deployment of Azure OpenAI (learn.microsoft.com/azure/ai-services/openai/reference). */
import { z } from "zod";
import { SECRET_FIELD } from "../../domain/form.ts";
import { upstreamUrlSchema } from "../../domain/text.ts";
import { topLevelFields, spliceJson } from "../../protocols/json-fields.ts";
import { judgeOpenAi, judgeOpenAiEvent } from "../openai-api/judge.ts";
import {
  apiKeySchema,
  chatTestCall,
  forwardedHeaders,
  modelFamily,
  operationPath,
} from "../openai-api/request.ts";
import { defineProvider } from "../provider.ts";

/** The first version whose Responses API is the one that clients speak. */
const DEFAULT_API_VERSION = "2025-04-01-preview";

const credentialSchema = z.strictObject({
  apiKey: apiKeySchema.meta({
    title: "API key",
    description: "One of the resource's two keys",
    ...SECRET_FIELD,
  }),
  endpoint: upstreamUrlSchema.meta({
    title: "Endpoint",
    description: "https://<resource>.openai.azure.com",
    examples: ["https://example.openai.azure.com"],
  }),
  deployment: z
    .string()
    .trim()
    .regex(/^[\w.-]{1,100}$/, "must be a deployment's name")
    .meta({ title: "Deployment", description: "The deployment's name, not the model's" }),
  apiVersion: z
    .string()
    .trim()
    .regex(/^[\w.-]{1,40}$/, "must be a version such as 2025-04-01-preview")
    .default(DEFAULT_API_VERSION)
    .meta({ title: "API version", description: `empty: ${DEFAULT_API_VERSION}` }),
});
type AzureCredential = z.infer<typeof credentialSchema>;

const isResponses = (path: string) => path.startsWith("/responses");

/** Responses live beside the deployments and name theirs as the model; all else lives below one. */
function urlOf(path: string, credential: AzureCredential, baseUrl: string | null): string {
  const { endpoint, deployment, apiVersion } = credential;
  const root = `${(baseUrl ?? endpoint).replace(/\/+$/, "").replace(/\/openai$/, "")}/openai`;
  const place = isResponses(path) || path === "/models" ? root : `${root}/deployments/${deployment}`;
  // The account's version alone: what a client names may be one that this deployment does not have.
  return `${place}${path}?api-version=${apiVersion}`;
}

function withDeployment(body: Uint8Array, deployment: string): Uint8Array {
  const range = topLevelFields(body).get("model");
  return range === undefined ? body : spliceJson(body, range, deployment);
}

export const azureOpenAi = defineProvider<AzureCredential>({
  id: "azure-openai",
  label: "Azure OpenAI deployment",
  service: "openai",
  protocols: ["openai-responses", "openai-chat"],
  credentialSchema,
  // A deployment has one model, and only the account knows which.
  vendor: null,
  modelFamily,
  createRequest(call, credential, baseUrl) {
    const headers = forwardedHeaders(call.headers);
    headers.set("api-key", credential.apiKey);
    const path = operationPath(call);
    const body = isResponses(path) ? withDeployment(call.body, credential.deployment) : call.body;
    return { url: urlOf(path, credential, baseUrl), headers, body };
  },
  judge: judgeOpenAi,
  readWindows: () => null,
  judgeEvent: judgeOpenAiEvent,
  expiresAt: () => null,
  probe(credential, baseUrl) {
    const headers = forwardedHeaders(new Headers());
    headers.set("api-key", credential.apiKey);
    return { url: urlOf("/models", credential, baseUrl), headers };
  },
  testCall: ({ deployment }) => chatTestCall(deployment),
});
