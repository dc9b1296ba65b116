/** Starts and stops what is measured: the fake upstream itself, the pass-through worker, and the relay. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { runToEnd, startChild, type Child } from "../scripts/local/processes.ts";
import { QUIET_WRANGLER, ROOT, tool } from "../scripts/local/project.ts";
import { setUpRelay, UPSTREAM_KEYS } from "./admin.ts";

export const TARGET_NAMES = ["direct", "pass-through", "relay"] as const;
export type TargetName = (typeof TARGET_NAMES)[number];
/** The targets that are workers; `direct` has no process of its own. */
export const WORKER_NAMES = ["pass-through", "relay"] as const satisfies readonly TargetName[];
export type WorkerName = (typeof WORKER_NAMES)[number];

export interface Target {
  readonly name: TargetName;
  readonly port: number;
  /** What a client of this target sends as `x-api-key`. */
  readonly apiKey: string;
  /** The process that is the target; null for `direct`, where there is nothing between. */
  readonly pid: number | null;
  stop(): Promise<void>;
}

const SOURCES = { "pass-through": "bench/pass-through.ts", relay: "worker/index.ts" } as const;
const ENVIRONMENT = { ...process.env, ...QUIET_WRANGLER };

const running = new Set<Child>();

/** Ends whatever still runs, at once: for when there is no time to wait. */
export function killAll(): void {
  for (const child of running) child.kill();
}

/** Starts a child and waits for the line that says it is ready. */
async function startUntilReady(
  name: string,
  command: readonly string[],
  ready: RegExp,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly child: Child; readonly match: RegExpExecArray }> {
  const seen = Promise.withResolvers<RegExpExecArray>();
  const child = startChild(name, command, {
    cwd: ROOT,
    env: { ...ENVIRONMENT, ...more },
    onLine: (line) => {
      const match = ready.exec(line);
      if (match !== null) seen.resolve(match);
    },
  });
  running.add(child);
  void child.exited.then((code) => {
    running.delete(child);
    seen.reject(new Error(`${name} ended with code ${String(code)}:\n${child.tail()}`));
  });
  return { child, match: await seen.promise };
}

export interface FakeUpstream {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

export async function startFakeUpstream(): Promise<FakeUpstream> {
  const command = [process.execPath, join(ROOT, "tests/upstream/main.ts")];
  const { child, match } = await startUntilReady("upstream", command, /ready on (http:\/\/[\d.]+:(\d+))/);
  return { url: match[1] ?? "", port: Number(match[2]), stop: () => child.stop() };
}

const bundleOf = (dir: string, name: WorkerName): string => join(dir, "bundles", name);

/** Bundles both workers as a deployment would. */
export async function bundleWorkers(dir: string): Promise<void> {
  for (const name of WORKER_NAMES) {
    const command = [tool("wrangler"), "deploy", SOURCES[name], "--dry-run", "--outdir", bundleOf(dir, name)];
    await runToEnd(`bundle of ${name}`, command, { cwd: ROOT, env: ENVIRONMENT });
  }
}

let started = 0;

/** A worker in a fresh workerd with empty storage on disk. */
export async function startWorker(dir: string, name: WorkerName, upstream: FakeUpstream): Promise<Target> {
  const state = join(dir, "state", String(++started));
  await mkdir(state, { recursive: true });
  const command = [
    process.execPath,
    join(import.meta.dirname, "host.ts"),
    bundleOf(dir, name),
    state,
    upstream.url,
  ];
  // Miniflare leaves its temporary files behind when it is killed: in our folder they go with it.
  const ready = /ready on (\d+) in process (\d+)/;
  const { child, match } = await startUntilReady(name, command, ready, { TMPDIR: dir });
  const port = Number(match[1]);
  const apiKey =
    name === "relay" ? await setUpRelay(`http://127.0.0.1:${String(port)}`, upstream.url) : anyUpstreamKey();
  return { name, port, apiKey, pid: Number(match[2]), stop: () => child.stop() };
}

export const directTarget = (upstream: FakeUpstream): Target => ({
  name: "direct",
  port: upstream.port,
  apiKey: anyUpstreamKey(),
  pid: null,
  stop: () => Promise.resolve(),
});

const anyUpstreamKey = (): string => UPSTREAM_KEYS[0] ?? "";
