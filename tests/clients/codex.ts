/** Codex, as people point it at a relay. */
import { type Bench, type Run, withHome } from "./cli.ts";
import type { CliPackage } from "./install.ts";
import type { Scene } from "./stage.ts";

export const CODEX: CliPackage = {
  title: "Codex",
  name: "@openai/codex",
  version: "0.169.0",
  megabytes: 400,
  launcher: "bin/codex.js",
};

/** Codex knows this model: its only tool of note runs a script that calls all others. */
export const SCRIPTING_MODEL = "gpt-6-sol";
/** Its tools are plain functions. */
export const CALLING_MODEL = "gpt-5.5";

/** `custom` asks in events at once; `builtIn` tries a WebSocket first. */
export type Way = "custom" | "builtIn";

const CONFIG: Readonly<Record<Way, (baseUrl: string) => string>> = {
  custom: (baseUrl) => `model_provider = "relay"

[model_providers.relay]
name = "relay"
base_url = "${baseUrl}"
wire_api = "responses"
env_key = "RELAY_KEY"
`,
  builtIn: (baseUrl) => `openai_base_url = "${baseUrl}"
`,
};

/** No second look at what was said, no telemetry. */
const QUIET_CONFIG = `
[analytics]
enabled = false
`;

/** The key goes where each way looks for it. */
const KEY_VARIABLE: Readonly<Record<Way, string>> = { custom: "RELAY_KEY", builtIn: "CODEX_API_KEY" };

export interface Codex {
  /** A prompt that begins a conversation. */
  ask(prompt: string): Promise<Run>;
  /** A prompt in the last conversation of this home. */
  goOn(prompt: string): Promise<Run>;
}

export interface CodexOptions {
  readonly way?: Way;
  readonly model?: string;
}

/** A fresh home that is set up for the key of a scene. */
export function codexWith<Result>(
  bench: Bench,
  { key }: Pick<Scene, "key">,
  options: CodexOptions,
  use: (codex: Codex) => Promise<Result>,
): Promise<Result> {
  const { way = "custom", model = CALLING_MODEL } = options;
  const config = CONFIG[way](`${bench.stage.relayUrl}/v1`) + QUIET_CONFIG;
  const flags = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "-m", model];
  const setup = { env: { [KEY_VARIABLE[way]]: key }, files: { ".codex/config.toml": config } };
  return withHome(bench, setup, (run) =>
    use({
      ask: (prompt) => run("exec", ...flags, prompt),
      goOn: (prompt) => run("exec", ...flags, "resume", "--last", prompt),
    }),
  );
}
