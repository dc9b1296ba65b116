/** CPU time of a target for a piece of work, with what it does for that work afterwards. */
import { setTimeout as sleep } from "node:timers/promises";
import { cpuMs } from "./process-stats.ts";
import type { Target } from "./targets.ts";

/** The relay gathers its usage records for a second before it writes them. */
const AFTERMATH_MS = 1200;
const LOOK_MS = 200;
/** In this share of a look a process that only waits may still be busy. */
const IDLE_MS = 10;
const SETTLE_MS_MAX = 5000;

/** Waits until a target does nothing any more. */
export async function settle(target: Target): Promise<void> {
  if (target.pid === null) return;
  await sleep(AFTERMATH_MS);
  const deadline = performance.now() + SETTLE_MS_MAX;
  let before = cpuMs(target.pid);
  while (performance.now() < deadline) {
    await sleep(LOOK_MS);
    const now = cpuMs(target.pid);
    if (now - before <= IDLE_MS) return;
    before = now;
  }
}

export interface Measured<Result> {
  readonly result: Result;
  /** NaN where the target has no process. */
  readonly cpuMs: number;
}

export async function measureCpu<Result>(
  target: Target,
  work: () => Promise<Result>,
): Promise<Measured<Result>> {
  const { pid } = target;
  const before = pid === null ? NaN : cpuMs(pid);
  const result = await work();
  await settle(target);
  return { result, cpuMs: pid === null ? NaN : cpuMs(pid) - before };
}
