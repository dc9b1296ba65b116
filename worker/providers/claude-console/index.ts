/** Anthropic's API with an API key, or any endpoint that speaks it with a key of its own. */
import { keyAccount } from "../anthropic-api/key-account.ts";

export const claudeConsole = keyAccount({
  id: "claude-console",
  label: "Claude API key",
  keyDescription: "sk-ant-… of console.anthropic.com, or the endpoint's own key",
  defaultBaseUrl: "https://api.anthropic.com",
  vendor: "anthropic",
});
