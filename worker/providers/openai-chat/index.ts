/** An endpoint that speaks Chat Completions and not Responses: most of those that call themselves compatible. */
import { keyAccount } from "../openai-api/key-account.ts";
import { chatTestCall } from "../openai-api/request.ts";

export const openaiChat = keyAccount({
  id: "openai-chat",
  label: "OpenAI-compatible endpoint (Chat Completions)",
  keyDescription: "the endpoint's own key",
  protocols: ["openai-chat"],
  defaultBaseUrl: null,
  // It has models of anybody.
  vendor: null,
  testCall: chatTestCall,
});
