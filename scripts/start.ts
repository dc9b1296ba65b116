/**
 * `npm start`: the relay and its admin on this machine, until Ctrl-C.
 * PORT, ADMIN_PORT and STATE_DIR move it; ADMIN_USERNAME and ADMIN_PASSWORD preset the administrator.
 */
import { hasAdmin } from "./local/admin-build.ts";
import { ChildFailure } from "./local/processes.ts";
import { DEFAULT_STATE_DIR } from "./local/project.ts";
import { startStack } from "./local/stack.ts";
import { aborted, listenForStop } from "./local/stop-request.ts";
import { passedVariables, portFrom } from "./local/variables.ts";

const stopSignal = listenForStop();
const stopRequested = aborted(stopSignal);

async function main(): Promise<void> {
  const { env } = process;
  const stack = await startStack({
    port: portFrom(env, "PORT", 8787),
    adminPort: portFrom(env, "ADMIN_PORT", 8788),
    stateDir: env["STATE_DIR"] ?? DEFAULT_STATE_DIR,
    env: passedVariables(env),
    admin: hasAdmin(),
    progress: (step) => {
      console.log(step);
    },
    log: (line) => {
      console.error(line);
    },
    signal: stopSignal,
  });
  console.log(`relay ready on ${stack.relayUrl}`);
  if (stack.adminUrl !== null) console.log(`admin ready on ${stack.adminUrl}`);
  await Promise.race([stopRequested, stack.failed]);
  await stack.stop();
  console.log("stopped");
}

try {
  await main();
} catch (error) {
  if (!stopSignal.aborted) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = error instanceof ChildFailure ? error.exitCode : 1;
  }
}
