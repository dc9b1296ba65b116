/** One run in which everything goes wrong that can, under the eyes of every check. */
import { ALL_FAULTS } from "./faults.ts";
import { MACHINES, type Machines } from "./machines.ts";
import { mixedPool } from "./pool.ts";
import { Random } from "./random.ts";
import { Traffic } from "./traffic.ts";
import { World } from "./world.ts";

/** A Sunday evening, two hours before the day and the week are over. */
const START_AT = Date.UTC(2030, 2, 17, 22);
/** So that a pool is not the beginning of what happens to it. */
const POOL_SEED_OFFSET = 1_000_003;
const TURNS_OF_A_SESSION = 25;

export interface CheckedRun {
  readonly seed: number;
  readonly steps: number;
  readonly hash: string;
  readonly records: number;
  /** Requests whose key was not asked, since a warrant stood. */
  readonly enteredFreely: number;
  readonly virtualMs: number;
  readonly results: World["statistics"]["results"];
  readonly excused: Readonly<Record<string, number>>;
}

/** @throws Violation when a promise is broken; the same seed breaks it again at the same step */
export function check(seed: number, requests: number, machines: Machines = MACHINES): CheckedRun {
  const pool = mixedPool(new Random(seed + POOL_SEED_OFFSET), requests);
  const world = new World({ seed, startAt: START_AT, pool, faults: ALL_FAULTS, machines });
  const sessions = Math.ceil(requests / TURNS_OF_A_SESSION);
  new Traffic(world, {
    requests,
    sessions,
    load: 0.6,
    named: true,
    parallelChance: 0.15,
    countChance: 0.05,
  }).start();
  world.run();
  return {
    seed,
    steps: world.timeline.steps,
    hash: world.timeline.hash,
    records: world.keyChecks.records,
    enteredFreely: world.statistics.enteredFreely,
    virtualMs: world.timeline.now() - START_AT,
    results: world.statistics.results,
    excused: { ...world.accountChecks.excused, ...world.keyChecks.excused },
  };
}
