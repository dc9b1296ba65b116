/** Accounts that speak OpenAI's API with a key that does not change: the vendor's own, and compatible endpoints. */
import { z } from "zod";
import { SECRET_FIELD } from "../../domain/form.ts";
import type { ProtocolId } from "../../domain/protocol-id.ts";
import { defineProvider, type Provider, type TestCall } from "../provider.ts";
import { balanceCall } from "./balance.ts";
import { judgeOpenAi, judgeOpenAiEvent } from "./judge.ts";
import { apiKeySchema, forwardedHeaders, modelFamily, MODELS_CALL, upstreamUrl } from "./request.ts";

export interface KeyAccount {
  readonly id: string;
  readonly label: string;
  /** For the person who enters it. */
  readonly keyDescription: string;
  readonly protocols: readonly ProtocolId[];
  /** Where calls go if the account names no address; null: it must name one. */
  readonly defaultBaseUrl: string | null;
  readonly vendor: string | null;
  readonly testCall: (model: string | undefined) => TestCall;
}

export function keyAccount({ id, label, keyDescription, defaultBaseUrl, ...account }: KeyAccount): Provider {
  const credentialSchema = z.strictObject({
    apiKey: apiKeySchema.meta({ title: "API key", description: keyDescription, ...SECRET_FIELD }),
    testModel: z
      .string()
      .trim()
      .max(200)
      .optional()
      .meta({ title: "Model for tests", description: "where the endpoint lacks OpenAI's cheapest one" }),
  });
  const base = (baseUrl: string | null) => baseUrl ?? defaultBaseUrl ?? "";
  const authorized = (client: Headers, apiKey: string) => {
    const headers = forwardedHeaders(client);
    headers.set("authorization", `Bearer ${apiKey}`);
    return headers;
  };
  return defineProvider<z.infer<typeof credentialSchema>>({
    id,
    label,
    service: "openai",
    protocols: account.protocols,
    credentialSchema,
    needsBaseUrl: defaultBaseUrl === null,
    defaultBaseUrl,
    vendor: account.vendor,
    modelFamily,
    createRequest(call, { apiKey }, baseUrl) {
      const url = upstreamUrl(base(baseUrl), call);
      return { url, headers: authorized(call.headers, apiKey), body: call.body };
    },
    judge: judgeOpenAi,
    // Its limits are per minute: they are over before anybody could look at them.
    readWindows: () => null,
    judgeEvent: judgeOpenAiEvent,
    expiresAt: () => null,
    balance: ({ apiKey }, baseUrl) => balanceCall(apiKey, baseUrl),
    probe({ apiKey }, baseUrl) {
      return { url: upstreamUrl(base(baseUrl), MODELS_CALL), headers: authorized(new Headers(), apiKey) };
    },
    testCall: ({ testModel }) => account.testCall(testModel === "" ? undefined : testModel),
  });
}
