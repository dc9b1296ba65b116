/**
 * `npm run test:clients`: real clients through a real relay to the fake upstream. Apart from the other tests
 * because Claude Code alone is 400 MB. Exits with 1 when a check failed.
 */
import { anthropicSdkChecks } from "./anthropic-sdk-checks.ts";
import { runChecks } from "./checks.ts";
import { claudeCodeChecks } from "./claude-code-checks.ts";
import { claudeCodeFailureChecks } from "./claude-code-failure-checks.ts";
import { ensureClaudeCode } from "./install.ts";
import { openStage, type Stage } from "./stage.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const stopRequest = new AbortController();
for (const signal of STOP_SIGNALS) {
  // Not once: npm passes on what the terminal has sent already, and the second would end us before we have cleaned up.
  process.on(signal, () => {
    stopRequest.abort(new Error(`stopped by ${signal}`));
  });
}

async function checkAll(stage: Stage, command: readonly string[], signal: AbortSignal) {
  const bench = { stage, command, signal };
  const checks = [
    ...(await anthropicSdkChecks(stage)),
    ...(await claudeCodeChecks(bench)),
    ...claudeCodeFailureChecks(bench),
  ];
  return await runChecks(checks, signal);
}

async function main(): Promise<void> {
  const { signal } = stopRequest;
  const command = await ensureClaudeCode(signal);
  const stage = await openStage(signal);
  try {
    const { passed, failed } = await Promise.race([checkAll(stage, command, signal), stage.failed]);
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
