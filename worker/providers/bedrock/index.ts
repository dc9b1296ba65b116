/** Claude models at Amazon Bedrock, by its InvokeModel API: Anthropic's protocol in AWS's wrapping. */
import { judgeAnthropicEvent } from "../anthropic-api/judge.ts";
import { modelFamily, testCall } from "../anthropic-api/request.ts";
import { defineProvider } from "../provider.ts";
import { decodeAnswer } from "./answer.ts";
import { credentialSchema, type BedrockCredential } from "./credential.ts";
import { decodeRefusal, judgeBedrock } from "./judge.ts";
import { baseOf, createBedrockRequest } from "./request.ts";

export const bedrock = defineProvider<BedrockCredential>({
  id: "bedrock",
  label: "Amazon Bedrock",
  service: "claude",
  protocols: ["anthropic"],
  credentialSchema,
  // Names of Anthropic's models become Bedrock's ids, so its list is theirs.
  vendor: "anthropic",
  modelFamily,
  createRequest: createBedrockRequest,
  decodeAnswer,
  decodeRefusal,
  judge: judgeBedrock,
  // Bedrock says nothing of its quotas before they are used up.
  readWindows: () => null,
  judgeEvent: judgeAnthropicEvent,
  expiresAt: () => null,
  // Unsigned: its refusal is as good an answer as any, costs nothing and needs no clock.
  probe: (credential, baseUrl) => ({ url: `${baseOf(credential, baseUrl)}/`, headers: new Headers() }),
  testCall,
});
