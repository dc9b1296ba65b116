/** Runs checks one after another, prints a line for each and counts them. */
import { setTimeout as sleep } from "node:timers/promises";

export interface Check {
  /** A sentence that `run` disproves by throwing. */
  readonly name: string;
  readonly run: () => Promise<void>;
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** Three runs of a client that all end by their own limit still fit. */
const CHECK_TIMEOUT_MS = 300_000;

async function withinTimeout(check: Check, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const giveUp = sleep(CHECK_TIMEOUT_MS, undefined, { signal: AbortSignal.any([signal, over.signal]) });
  try {
    await Promise.race([
      check.run(),
      giveUp.then(() => {
        throw new Error(`took longer than ${String(CHECK_TIMEOUT_MS / 1000)} s`);
      }),
    ]);
  } finally {
    over.abort();
    await giveUp.catch(() => undefined);
  }
}

/** Goes through all checks, whatever fails; an abort ends it at once. */
export async function runChecks(checks: readonly Check[], signal: AbortSignal): Promise<Tally> {
  let passed = 0;
  let failed = 0;
  for (const check of checks) {
    const startedAt = performance.now();
    const failure = await withinTimeout(check, signal).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    signal.throwIfAborted();
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`${failure === null ? "ok    " : "FAILED"} ${check.name} (${seconds} s)`);
    if (failure !== null) console.log(failure.replace(/^/gm, "       "));
    if (failure === null) passed++;
    else failed++;
  }
  return { passed, failed };
}
