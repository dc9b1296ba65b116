/**
 * `npm run bench`: the relay beside a bare pass-through worker and beside no worker at all, on this machine, in
 * rounds that take turns. `--quick` runs one short round, `--only <scenario>` one scenario, `--rounds <n>` more;
 * `--only usage` measures the admin's queries on a small ledger and a large one instead.
 * Prints figures and how they stand to our goals; it never fails because of a figure.
 */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Behaviour } from "../tests/upstream/behaviour.ts";
import { upstreamControl } from "../tests/upstream/client.ts";
import { UPSTREAM_KEYS } from "./admin.ts";
import type { Bench, Figure, Scenario } from "./bench.ts";
import { question } from "./bodies.ts";
import { settle } from "./cpu.ts";
import { goalLines } from "./goals.ts";
import { closedLoop } from "./load.ts";
import { othersCpuMs } from "./process-stats.ts";
import { summarize, table } from "./report.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import { benchUsage } from "./usage.ts";
import {
  bundleWorkers,
  directTarget,
  killAll,
  startFakeUpstream,
  startWorker,
  type Target,
  type WorkerName,
} from "./targets.ts";

const ROUNDS = 3;
const WARM_UP_MS = 1500;
/** Compares a small ledger with a large one, not the relay with anything, so it is no scenario of the others. */
const USAGE = "usage";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string", default: String(ROUNDS) },
  },
});

function chosenScenarios(): readonly Scenario[] {
  const chosen = SCENARIOS.filter(({ name }) => options.only === undefined || name === options.only);
  if (chosen.length > 0 || options.only === USAGE) return chosen;
  throw new Error(`--only takes one of ${[...SCENARIOS.map(({ name }) => name), USAGE].join(", ")}`);
}

/** Compiled code, open connections and cached keys: what every target has after its first second of life. */
async function warmUp(targets: readonly Target[]): Promise<void> {
  for (const target of targets) {
    for (const stream of [false, true]) {
      await closedLoop(target, {
        clients: 16,
        durationMs: WARM_UP_MS / 2,
        bodyOf: () => question({ stream }),
      });
    }
    await settle(target);
  }
}

/** Every round begins with another target, so that none is always the first. */
const rotated = <Item>(items: readonly Item[], by: number): Item[] =>
  items.map((_, at) => items[(at + by) % items.length]).filter((item) => item !== undefined);

type Rounds = ReadonlyMap<Scenario, Figure[][]>;

async function runRounds(
  count: number,
  targets: readonly Target[],
  bench: Omit<Bench, "targets">,
): Promise<Rounds> {
  const rounds = new Map<Scenario, Figure[][]>(scenarios.map((scenario) => [scenario, []]));
  for (let round = 0; round < count; round++) {
    for (const [scenario, figures] of rounds) {
      console.error(`round ${String(round + 1)} of ${String(count)}: ${scenario.name}`);
      figures.push(await scenario.run({ ...bench, targets: rotated(targets, round) }));
    }
  }
  return rounds;
}

function print(rounds: Rounds): void {
  const summaries = [...rounds].map(([scenario, figures]) => {
    const summary = summarize(figures);
    console.log(table(scenario.title, summary));
    return summary;
  });
  console.log(goalLines(summaries.flat()).join("\n"));
}

async function main(): Promise<void> {
  await bundleWorkers(dir);
  if (options.only === USAGE) return benchUsage(dir);
  const upstream = await startFakeUpstream();
  const startFresh = (name: WorkerName): Promise<Target> => startWorker(dir, name, upstream);
  const targets = [directTarget(upstream), await startFresh("pass-through"), await startFresh("relay")];
  await warmUp(targets);
  const control = upstreamControl(upstream.url);
  const behave = async (behaviour: Behaviour): Promise<void> => {
    for (const key of UPSTREAM_KEYS) await control.set(key, behaviour);
  };
  const count = options.quick ? 1 : Number(options.rounds);
  const [startedAt, othersBefore] = [performance.now(), othersCpuMs()];
  const rounds = await runRounds(count, targets, { quick: options.quick, behave, startFresh });
  const others = Math.max(0, othersCpuMs() - othersBefore) / (performance.now() - startedAt);
  console.log(`Medians of ${String(count)} rounds; in brackets the smallest and the largest.`);
  console.log(`Other processes took ${others.toFixed(1)} of ${String(cpus().length)} cores meanwhile.\n`);
  print(rounds);
  for (const target of [...targets, upstream]) await target.stop();
}

const scenarios = chosenScenarios();
const dir = await mkdtemp(join(tmpdir(), "relay-bench-"));
process.on("exit", () => {
  killAll();
  // What was killed a moment ago may still hold a file.
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
await main();
