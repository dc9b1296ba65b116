/** Anthropic's API with an API key, or any endpoint that speaks it with a key of its own. */
import { z } from "zod";
import { judgeAnthropic, judgeAnthropicEvent } from "../anthropic-api/judge.ts";
import {
  forwardedHeaders,
  modelFamily,
  MODELS_CALL,
  testCall,
  upstreamUrl,
} from "../anthropic-api/request.ts";
import { windowsOf } from "../anthropic-api/windows.ts";
import { defineProvider } from "../provider.ts";

const credentialSchema = z.strictObject({
  apiKey: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]{1,500}$/, "must be printable ASCII without spaces")
    .meta({ title: "API key", description: "sk-ant-… of console.anthropic.com, or the endpoint's own key" }),
});

const DEFAULT_BASE_URL = "https://api.anthropic.com";
/** Anthropic's own keys travel as `x-api-key`; other endpoints expect a bearer token. */
const ANTHROPIC_KEY_PREFIX = "sk-ant-";

function authorize(headers: Headers, apiKey: string): void {
  if (apiKey.startsWith(ANTHROPIC_KEY_PREFIX)) headers.set("x-api-key", apiKey);
  else headers.set("authorization", `Bearer ${apiKey}`);
}

export const claudeConsole = defineProvider<z.infer<typeof credentialSchema>>({
  id: "claude-console",
  label: "Claude API key",
  service: "claude",
  protocols: ["anthropic"],
  credentialSchema,
  vendor: "anthropic",
  modelFamily,
  createRequest(call, { apiKey }, baseUrl) {
    const headers = forwardedHeaders(call.headers);
    authorize(headers, apiKey);
    return { url: upstreamUrl(baseUrl ?? DEFAULT_BASE_URL, call), headers, body: call.body };
  },
  judge: judgeAnthropic,
  readWindows: windowsOf,
  judgeEvent: judgeAnthropicEvent,
  expiresAt: () => null,
  probe({ apiKey }, baseUrl) {
    const headers = forwardedHeaders(new Headers());
    authorize(headers, apiKey);
    return { url: upstreamUrl(baseUrl ?? DEFAULT_BASE_URL, MODELS_CALL), headers };
  },
  testCall,
});
