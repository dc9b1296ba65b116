/** Claude Code, as people point it at a relay. */
import { type Bench, type Run, withHome } from "./cli.ts";
import type { CliPackage } from "./install.ts";

/** The package's own launcher finds the binary of this platform even where npm ran no install scripts. */
export const CLAUDE_CODE: CliPackage = {
  title: "Claude Code",
  name: "@anthropic-ai/claude-code",
  version: "2.1.329",
  megabytes: 400,
  launcher: "cli-wrapper.cjs",
};

export const TOOLS_ALLOWED = "--dangerously-skip-permissions";

/** Nothing but the model calls leaves the process, and root may run tools. */
const QUIET = {
  DISABLE_TELEMETRY: "1",
  DISABLE_AUTOUPDATER: "1",
  DISABLE_ERROR_REPORTING: "1",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  IS_SANDBOX: "1",
};

/** Which key is sent, in the variables that people set. */
export type Settings = Readonly<Record<string, string>>;

export interface ClaudeCode {
  /** One prompt in the conversation of this home. */
  ask(prompt: string, ...flags: readonly string[]): Promise<Run>;
}

/** A fresh home with these settings. */
export const claudeWith = <Result>(
  bench: Bench,
  settings: Settings,
  use: (claude: ClaudeCode) => Promise<Result>,
): Promise<Result> =>
  withHome(bench, { env: { ANTHROPIC_BASE_URL: bench.stage.relayUrl, ...QUIET, ...settings } }, (run) =>
    use({ ask: (prompt, ...flags) => run("-p", prompt, ...flags) }),
  );
