/** The registry of providers: adding one adds a folder and a line here. */
import { bedrock } from "./bedrock/index.ts";
import { ccr } from "./ccr/index.ts";
import { claudeConsole } from "./claude-console/index.ts";
import { claudeOAuth } from "./claude-oauth/index.ts";
import type { Provider } from "./provider.ts";

const ALL: readonly Provider[] = [claudeOAuth, claudeConsole, ccr, bedrock];

export const PROVIDERS: ReadonlyMap<string, Provider> = new Map(
  ALL.map((provider) => [provider.id, provider]),
);
