/** Child processes that never outlive us: each in its own process group, ended as a group. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";

/** Enough to hold a build error with its source excerpt. */
const TAIL_LINES_MAX = 60;
/** wrangler closes its servers and databases in well under a second; after this it is stuck. */
const STOP_GRACE_MS = 5_000;

/**
 * A leash: the shell becomes the command, and a `cat` in its group waits for the end of descriptor 3, whose other
 * end we hold. When we die, however suddenly, the system closes it and the whole group is killed.
 */
const LEASH = `(cat <&3 >/dev/null 2>&1; kill -KILL 0) & exec "$@" 3<&-`;

export interface CommandOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called with each line of output, without colours. */
  readonly onLine?: (line: string) => void;
}

export interface Child {
  readonly name: string;
  /** Settles when the process has ended, with its exit code (1 when a signal ended it). Never rejects. */
  readonly exited: Promise<number>;
  /** The last lines that it wrote. */
  tail(): string;
  /** Asks the group to end, insists after a while, and resolves when it has. */
  stop(): Promise<void>;
  /** Ends the group at once, as a crash would. */
  kill(): void;
}

/** Starts a command in a process group of its own. */
export function startChild(name: string, command: readonly string[], options: CommandOptions): Child {
  const shell = spawn("/bin/sh", ["-c", LEASH, "sh", ...command], {
    cwd: options.cwd,
    env: { ...options.env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const collect = (raw: string): void => {
    const line = stripVTControlCharacters(raw);
    lines.push(line);
    if (lines.length > TAIL_LINES_MAX) lines.shift();
    options.onLine?.(line);
  };
  for (const stream of [shell.stdout, shell.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on("line", collect);
  }

  const signalGroup = (signal: NodeJS.Signals): void => {
    if (shell.pid === undefined) return;
    try {
      process.kill(-shell.pid, signal);
    } catch (error) {
      const isGone = error instanceof Error && "code" in error && error.code === "ESRCH";
      if (!isGone) throw error;
    }
  };
  const exited = new Promise<number>((resolve) => {
    shell.on("error", (error) => {
      collect(error.message);
      resolve(1);
    });
    shell.on("close", (code) => {
      resolve(code ?? 1);
    });
    // The leader's end does not end the group: workerd would keep its port, and `close` would never come.
    shell.on("exit", () => {
      signalGroup("SIGKILL");
    });
  });
  return {
    name,
    exited,
    tail: () => lines.join("\n"),
    kill: () => {
      signalGroup("SIGKILL");
    },
    async stop() {
      signalGroup("SIGTERM");
      const insist = setTimeout(() => {
        signalGroup("SIGKILL");
      }, STOP_GRACE_MS);
      await exited;
      clearTimeout(insist);
    },
  };
}

/** Something that we started ended badly; `exitCode` and its last output say how. */
export class ChildFailure extends Error {
  readonly exitCode: number;

  constructor(child: Child, exitCode: number) {
    super(`${child.name} stopped with exit code ${String(exitCode)}. Its last output:\n${child.tail()}`);
    this.name = "ChildFailure";
    this.exitCode = exitCode === 0 ? 1 : exitCode;
  }
}

/** Runs a command to its end; throws ChildFailure when it fails. An abort kills it. */
export async function runToEnd(
  name: string,
  command: readonly string[],
  options: CommandOptions & { readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const child = startChild(name, command, options);
  const kill = (): void => {
    child.kill();
  };
  options.signal?.addEventListener("abort", kill);
  const exitCode = await child.exited;
  options.signal?.removeEventListener("abort", kill);
  options.signal?.throwIfAborted();
  if (exitCode !== 0) throw new ChildFailure(child, exitCode);
}
