/** Runs Claude Code as somebody with an empty home would, without a terminal. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "../../scripts/local/processes.ts";

/** A run takes some seconds; its own retries may add half a minute. */
const RUN_TIMEOUT_MS = 120_000;

/** Nothing but the model calls leaves the process, and root may run tools. */
const QUIET = {
  DISABLE_TELEMETRY: "1",
  DISABLE_AUTOUPDATER: "1",
  DISABLE_ERROR_REPORTING: "1",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  IS_SANDBOX: "1",
};

/** Where the relay is and which key is sent, in the variables that people set. */
export type Settings = Readonly<Record<string, string>>;

export interface Run {
  readonly exitCode: number;
  /** Standard output and error. */
  readonly output: string;
}

export interface ClaudeCode {
  /** One prompt in the conversation of this home. */
  ask(prompt: string, ...flags: readonly string[]): Promise<Run>;
}

interface Workplace {
  readonly command: readonly string[];
  readonly settings: Settings;
  readonly signal: AbortSignal;
}

/** Gives `use` a Claude Code with a home of its own, which is deleted afterwards. */
export async function withClaudeCode<Result>(
  workplace: Workplace,
  use: (claude: ClaudeCode) => Promise<Result>,
): Promise<Result> {
  const home = await mkdtemp(join(tmpdir(), "relay-claude-"));
  try {
    const work = join(home, "work");
    await mkdir(work);
    const env = { PATH: process.env["PATH"], HOME: home, TMPDIR: home, ...QUIET, ...workplace.settings };
    return await use({
      ask: (prompt, ...flags) =>
        run([...workplace.command, "-p", prompt, ...flags], { cwd: work, env }, workplace.signal),
    });
  } finally {
    // Processes that are just ending may still write there.
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function run(
  command: readonly string[],
  place: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
  signal: AbortSignal,
): Promise<Run> {
  const lines: string[] = [];
  const child = startChild("Claude Code", command, { ...place, onLine: (line) => lines.push(line) });
  const giveUp = AbortSignal.any([signal, AbortSignal.timeout(RUN_TIMEOUT_MS)]);
  const kill = () => {
    lines.push("(killed: it took too long)");
    child.kill();
  };
  giveUp.addEventListener("abort", kill);
  const exitCode = await child.exited;
  giveUp.removeEventListener("abort", kill);
  return { exitCode, output: lines.join("\n") };
}
