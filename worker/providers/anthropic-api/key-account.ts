/** Accounts that speak Anthropic's API with a key that does not change: the vendor's own, and compatible endpoints. */
import { z } from "zod";
import { SECRET_FIELD } from "../../domain/form.ts";
import { defineProvider, type Provider } from "../provider.ts";
import { judgeAnthropic, judgeAnthropicEvent } from "./judge.ts";
import { forwardedHeaders, modelFamily, MODELS_CALL, testCall, upstreamUrl } from "./request.ts";
import { windowsOf } from "./windows.ts";

/** Anthropic's own keys travel as `x-api-key`; other endpoints expect a bearer token. */
const ANTHROPIC_KEY_PREFIX = "sk-ant-";

function authorize(headers: Headers, apiKey: string): void {
  if (apiKey.startsWith(ANTHROPIC_KEY_PREFIX)) headers.set("x-api-key", apiKey);
  else headers.set("authorization", `Bearer ${apiKey}`);
}

export interface KeyAccount {
  readonly id: string;
  readonly label: string;
  /** For the person who enters it. */
  readonly keyDescription: string;
  /** Where calls go if the account names no address; null: it must name one. */
  readonly defaultBaseUrl: string | null;
  readonly vendor: string | null;
}

export function keyAccount({ id, label, keyDescription, defaultBaseUrl, vendor }: KeyAccount): Provider {
  const credentialSchema = z.strictObject({
    apiKey: z
      .string()
      .trim()
      .regex(/^[\x21-\x7e]{1,500}$/, "must be printable ASCII without spaces")
      .meta({ title: "API key", description: keyDescription, ...SECRET_FIELD }),
  });
  const base = (baseUrl: string | null) => baseUrl ?? defaultBaseUrl ?? "";
  return defineProvider<z.infer<typeof credentialSchema>>({
    id,
    label,
    service: "claude",
    protocols: ["anthropic"],
    credentialSchema,
    needsBaseUrl: defaultBaseUrl === null,
    defaultBaseUrl,
    vendor,
    modelFamily,
    createRequest(call, { apiKey }, baseUrl) {
      const headers = forwardedHeaders(call.headers);
      authorize(headers, apiKey);
      return { url: upstreamUrl(base(baseUrl), call), headers, body: call.body };
    },
    judge: judgeAnthropic,
    readWindows: windowsOf,
    judgeEvent: judgeAnthropicEvent,
    expiresAt: () => null,
    probe({ apiKey }, baseUrl) {
      const headers = forwardedHeaders(new Headers());
      authorize(headers, apiKey);
      return { url: upstreamUrl(base(baseUrl), MODELS_CALL), headers };
    },
    testCall,
  });
}
