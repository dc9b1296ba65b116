/** A claude-code-router: it speaks Anthropic's API and has models of anybody, under names of its own. */
import { keyAccount } from "../anthropic-api/key-account.ts";

export const ccr = keyAccount({
  id: "ccr",
  label: "claude-code-router",
  keyDescription: "the APIKEY of the router's configuration",
  defaultBaseUrl: null,
  vendor: null,
});
