/** OpenAI's API with an API key, or any endpoint that speaks it with a key of its own. */
import { z } from "zod";
import { judgeOpenAi, judgeOpenAiEvent } from "../openai-api/judge.ts";
import {
  apiKeySchema,
  forwardedHeaders,
  modelFamily,
  MODELS_CALL,
  responsesTestCall,
  upstreamUrl,
} from "../openai-api/request.ts";
import { defineProvider } from "../provider.ts";

const credentialSchema = z.strictObject({
  apiKey: apiKeySchema.meta({
    title: "API key",
    description: "sk-… of platform.openai.com, or the endpoint's own key",
  }),
});

const DEFAULT_BASE_URL = "https://api.openai.com/v1";

export const openaiResponses = defineProvider<z.infer<typeof credentialSchema>>({
  id: "openai-responses",
  label: "OpenAI API key",
  service: "openai",
  protocols: ["openai-responses", "openai-chat"],
  credentialSchema,
  vendor: "openai",
  modelFamily,
  createRequest(call, { apiKey }, baseUrl) {
    const headers = forwardedHeaders(call.headers);
    headers.set("authorization", `Bearer ${apiKey}`);
    return { url: upstreamUrl(baseUrl ?? DEFAULT_BASE_URL, call), headers, body: call.body };
  },
  judge: judgeOpenAi,
  // Its limits are per minute: they are over before anybody could look at them.
  readWindows: () => null,
  judgeEvent: judgeOpenAiEvent,
  expiresAt: () => null,
  probe({ apiKey }, baseUrl) {
    const headers = forwardedHeaders(new Headers());
    headers.set("authorization", `Bearer ${apiKey}`);
    return { url: upstreamUrl(baseUrl ?? DEFAULT_BASE_URL, MODELS_CALL), headers };
  },
  testCall: responsesTestCall,
});
