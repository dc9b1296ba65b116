/**
 * `npm run test:clients`: real clients through a real relay to the fake upstream; with names behind `--`, those
 * clients only. Apart from the other tests because together they are more than a gigabyte. Exits with 1 when a check
 * failed.
 */
import { type Check, runChecks, type Tally } from "./checks.ts";
import { openStage, type Stage } from "./stage.ts";
import { type ClientName, isClientName, SUITES } from "./suites.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const stopRequest = new AbortController();
for (const signal of STOP_SIGNALS) {
  // Not once: npm passes on what the terminal has sent already, and the second would end us before we have cleaned up.
  process.on(signal, () => {
    stopRequest.abort(new Error(`stopped by ${signal}`));
  });
}

function wantedClients(names: readonly string[]): readonly ClientName[] {
  const known = Object.keys(SUITES).filter(isClientName);
  const unknown = names.filter((name) => !isClientName(name));
  if (unknown.length > 0)
    throw new Error(`there are no checks of ${unknown.join(", ")}; choose among ${known.join(", ")}`);
  return names.length === 0 ? known : names.filter(isClientName);
}

async function checkAll(stage: Stage, names: readonly ClientName[], signal: AbortSignal): Promise<Tally> {
  const checks: Check[] = [];
  for (const name of names) checks.push(...(await SUITES[name](stage, signal)));
  return await runChecks(checks, signal);
}

async function main(): Promise<void> {
  const { signal } = stopRequest;
  const names = wantedClients(process.argv.slice(2));
  const stage = await openStage(signal);
  try {
    const { passed, failed } = await Promise.race([checkAll(stage, names, signal), stage.failed]);
    if (failed > 0) process.exitCode = 1;
    console.log(`${String(passed)} passed, ${String(failed)} failed`);
  } finally {
    await stage.close();
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
