/** OpenAI's API with an API key, or any endpoint that speaks both of its dialects with a key of its own. */
import { keyAccount } from "../openai-api/key-account.ts";
import { responsesTestCall } from "../openai-api/request.ts";

export const openaiResponses = keyAccount({
  id: "openai-responses",
  label: "OpenAI API key",
  keyDescription: "sk-… of platform.openai.com, or the endpoint's own key",
  protocols: ["openai-responses", "openai-chat"],
  defaultBaseUrl: "https://api.openai.com/v1",
  vendor: "openai",
  testCall: responsesTestCall,
});
