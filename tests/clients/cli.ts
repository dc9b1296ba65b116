/** Runs a command-line client as somebody with an empty home would, without a terminal. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startChild } from "../../scripts/local/processes.ts";
import type { Stage } from "./stage.ts";

/** A run takes some seconds; a client's own retries may add half a minute. */
const RUN_TIMEOUT_MS = 120_000;

/** Whatever a client wants of the world outside, it asks a proxy that is not there. */
const OFFLINE = { HTTPS_PROXY: "http://127.0.0.1:1", NO_PROXY: "127.0.0.1,localhost" };

/** An installed client. */
export interface Cli {
  readonly name: string;
  readonly command: readonly string[];
}

/** A client and what it talks to. */
export interface Bench {
  readonly stage: Stage;
  readonly cli: Cli;
  readonly signal: AbortSignal;
}

/** How somebody has set the client up. */
export interface Setup {
  readonly env: Readonly<Record<string, string>>;
  /** Texts by their path below the home. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Run {
  readonly exitCode: number;
  /** Standard output and error. */
  readonly output: string;
}

/** Runs the client with these arguments, in the same folder each time. */
export type RunCli = (...args: readonly string[]) => Promise<Run>;

/** Gives `use` the client with a home of its own, which is deleted afterwards. */
export async function withHome<Result>(
  bench: Bench,
  setup: Setup,
  use: (run: RunCli) => Promise<Result>,
): Promise<Result> {
  const home = await mkdtemp(join(tmpdir(), "relay-client-"));
  try {
    const work = join(home, "work");
    await mkdir(work);
    for (const [path, text] of Object.entries(setup.files ?? {})) {
      await mkdir(dirname(join(home, path)), { recursive: true });
      await writeFile(join(home, path), text);
    }
    const env = { PATH: process.env["PATH"], HOME: home, TMPDIR: home, ...OFFLINE, ...setup.env };
    return await use((...args) => run(bench, args, { cwd: work, env }));
  } finally {
    // Processes that are just ending may still write there.
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function run(
  { cli, signal }: Bench,
  args: readonly string[],
  place: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<Run> {
  const lines: string[] = [];
  const onLine = (line: string) => lines.push(line);
  const child = startChild(cli.name, [...cli.command, ...args], { ...place, onLine });
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

export function assertSaid(run: Run, expected: RegExp): void {
  assert.equal(run.exitCode, 0, `exit code; output:\n${run.output}`);
  assert.match(run.output, expected);
}
