/** The registry of providers: adding one adds a folder and a line here. */
import { azureOpenAi } from "./azure-openai/index.ts";
import { bedrock } from "./bedrock/index.ts";
import { ccr } from "./ccr/index.ts";
import { claudeConsole } from "./claude-console/index.ts";
import { claudeOAuth } from "./claude-oauth/index.ts";
import { droid } from "./droid/index.ts";
import { geminiApi } from "./gemini-api/index.ts";
import { geminiOAuth } from "./gemini-oauth/index.ts";
import { openaiChat } from "./openai-chat/index.ts";
import { openaiOAuth } from "./openai-oauth/index.ts";
import { openaiResponses } from "./openai-responses/index.ts";
import type { Provider } from "./provider.ts";

const ALL: readonly Provider[] = [
  claudeOAuth,
  claudeConsole,
  ccr,
  bedrock,
  openaiOAuth,
  openaiResponses,
  openaiChat,
  azureOpenAi,
  geminiApi,
  geminiOAuth,
  droid,
];

export const PROVIDERS: ReadonlyMap<string, Provider> = new Map(
  ALL.map((provider) => [provider.id, provider]),
);
