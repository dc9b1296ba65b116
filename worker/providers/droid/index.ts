/** An account of Factory (droid), which serves models of several vendors in their own dialects. */
import { forwardedHeaders, modelFamily, MODELS_CALL, testCall } from "../anthropic-api/request.ts";
import { defineProvider } from "../provider.ts";
import {
  credentialSchema,
  describeCredential,
  expiresAt,
  isKeys,
  withoutKey,
  type DroidCredential,
} from "./credential.ts";
import { judgeDroid, judgeDroidEvent } from "./judge.ts";
import { authorize, createRequest, DEFAULT_BASE_URL, rootOf } from "./request.ts";
import { pollDevice, refreshTokens, startDevice } from "./workos.ts";

export const droid = defineProvider<DroidCredential>({
  id: "droid",
  label: "Factory (droid)",
  service: "droid",
  protocols: ["anthropic", "openai-responses", "openai-chat"],
  credentialSchema,
  defaultBaseUrl: DEFAULT_BASE_URL,
  // Models of several vendors, a few of each: only the account knows which.
  vendor: null,
  modelFamily,
  createRequest,
  judge: judgeDroid,
  // It says nothing of its limits in its answers.
  readWindows: () => null,
  judgeEvent: judgeDroidEvent,
  expiresAt,
  describeCredential,
  refresh: (credential, context) =>
    isKeys(credential)
      ? Promise.resolve(withoutKey(credential, context.refusedPart ?? null))
      : refreshTokens(credential, context),
  tokensIn: (credential) =>
    isKeys(credential)
      ? null
      : { access: credential.accessToken !== "", refresh: credential.refreshToken !== "" },
  device: { start: startDevice, poll: pollDevice },
  probe(credential, baseUrl) {
    const headers = forwardedHeaders(new Headers());
    authorize(headers, credential, "probe");
    return { url: `${rootOf(baseUrl)}/a${MODELS_CALL.path}`, headers };
  },
  testCall,
});
