/**
 * `npm run demo`: relay and admin with sample accounts, a fake upstream behind them and a trickle of traffic, until
 * Ctrl-C. Nothing leaves this machine. It starts afresh each time. PORT and ADMIN_PORT move it.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { startUpstream, type Upstream } from "../tests/upstream/server.ts";
import { signIn } from "./demo/admin.ts";
import { createSamples } from "./demo/samples.ts";
import { runTraffic } from "./demo/traffic.ts";
import { runWeather } from "./demo/weather.ts";
import { hasAdmin } from "./local/admin-build.ts";
import { freePort } from "./local/ports.ts";
import { ChildFailure } from "./local/processes.ts";
import { ROOT } from "./local/project.ts";
import { type Stack, startStack } from "./local/stack.ts";
import { listenForStop } from "./local/stop-request.ts";
import { portFrom } from "./local/variables.ts";

const STATE_DIR = join(ROOT, ".wrangler/demo");
/** Beside those of `npm start`, so that both can run. */
const PORT = 8797;
const ADMIN_PORT = 8798;
const stopSignal = listenForStop();

async function startDemoStack(signal: AbortSignal): Promise<Stack> {
  // Known to be free before the state is deleted: another demo may be using it.
  const port = await freePort(portFrom(process.env, "PORT", PORT), "PORT");
  const adminPort = await freePort(portFrom(process.env, "ADMIN_PORT", ADMIN_PORT), "ADMIN_PORT");
  // The tokens and ports in the accounts of an earlier demo died with its upstream.
  await rm(STATE_DIR, { recursive: true, force: true });
  console.log("starting the demo (half a minute when the admin has to be built)");
  return await startStack({ port, adminPort, stateDir: STATE_DIR, admin: hasAdmin(), signal });
}

function welcome(stack: Stack, key: string): void {
  const body = `{"model":"claude-sonnet-4-5","max_tokens":64,"stream":true,"messages":[{"role":"user","content":"hello"}]}`;
  console.log(`relay ready on ${stack.relayUrl}`);
  if (stack.adminUrl !== null) console.log(`admin ready on ${stack.adminUrl}`);
  console.log(`  user:     ${stack.adminUsername}`);
  console.log(`  password: ${stack.adminPassword}`);
  console.log("a call:");
  console.log(
    `  curl -N ${stack.relayUrl}/v1/messages -H 'x-api-key: ${key}' -H 'content-type: application/json' -d '${body}'`,
  );
  console.log("Claude Code:");
  console.log(`  ANTHROPIC_BASE_URL=${stack.relayUrl} ANTHROPIC_AUTH_TOKEN=${key} claude`);
  console.log("Ctrl-C stops everything");
}

async function play(stack: Stack, upstream: Upstream, signal: AbortSignal): Promise<void> {
  const keys = await createSamples(await signIn(stack), upstream.control);
  welcome(stack, keys.visitor);
  await Promise.all([runWeather(upstream.control, signal), runTraffic(stack.relayUrl, keys.busy, signal)]);
}

async function main(): Promise<void> {
  const over = new AbortController();
  const upstream = await startUpstream();
  try {
    const stack = await startDemoStack(stopSignal);
    try {
      const signal = AbortSignal.any([stopSignal, over.signal]);
      await Promise.race([play(stack, upstream, signal), stack.failed]);
    } finally {
      over.abort();
      await stack.stop();
    }
  } finally {
    await upstream.close();
  }
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
