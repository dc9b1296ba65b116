/** What must hold of Claude Code behind the relay when everything works. */
import assert from "node:assert/strict";
import { assertNothingHeld, assertOneRecordPerCall } from "./bookkeeping.ts";
import type { Check } from "./checks.ts";
import { type ClaudeCode, type Run, type Settings, withClaudeCode } from "./claude-code.ts";
import { openScene, type Scene, type Stage } from "./stage.ts";

/** Two accounts: chance alone would keep all these conversations whole once in 256 times. */
const CONVERSATIONS = 4;

export const TOOLS_ALLOWED = "--dangerously-skip-permissions";

export interface ClaudeCodeBench {
  readonly stage: Stage;
  readonly command: readonly string[];
  readonly signal: AbortSignal;
}

/** A fresh home with these settings. */
export const claudeWith = <Result>(
  { stage, command, signal }: ClaudeCodeBench,
  settings: Settings,
  use: (claude: ClaudeCode) => Promise<Result>,
) => withClaudeCode({ command, signal, settings: { ANTHROPIC_BASE_URL: stage.relayUrl, ...settings } }, use);

export function assertSaid(run: Run, expected: RegExp): void {
  assert.equal(run.exitCode, 0, `exit code; output:\n${run.output}`);
  assert.match(run.output, expected);
}

async function answersPrompt(bench: ClaudeCodeBench, settings: Settings): Promise<void> {
  const run = await claudeWith(bench, settings, (claude) => claude.ask("say hello to the relay"));
  assertSaid(run, /fake answer: say hello to the relay/);
}

/** The accounts that served each of Claude Code's sessions. */
async function accountsBySession(stage: Stage, scene: Scene): Promise<Map<string, Set<string>>> {
  const served = new Map<string, Set<string>>();
  for (const { credential } of scene.accounts) {
    for (const { headers } of await stage.upstream.log(credential)) {
      const session = headers["x-claude-code-session-id"] ?? "(none)";
      served.set(session, (served.get(session) ?? new Set()).add(credential));
    }
  }
  return served;
}

async function converse(bench: ClaudeCodeBench, scene: Scene): Promise<void> {
  await claudeWith(bench, { ANTHROPIC_AUTH_TOKEN: scene.key }, async (claude) => {
    assertSaid(await claude.ask("TOOLTASK: begin", TOOLS_ALLOWED), /the tool said: relay-tool-ok/);
    assertSaid(await claude.ask("and go on", "--continue"), /fake answer: and go on/);
  });
}

async function staysWithItsAccount(bench: ClaudeCodeBench): Promise<void> {
  const { stage } = bench;
  const scene = await openScene(stage, { name: "sessions", accounts: 2 });
  for (let index = 0; index < CONVERSATIONS; index++) await converse(bench, scene);
  const served = await accountsBySession(stage, scene);
  assert.equal(served.size, CONVERSATIONS, "sessions that the upstream saw");
  const moved = [...served].filter(([, accounts]) => accounts.size !== 1);
  assert.deepEqual(moved, [], "sessions that were served by several accounts");
  await assertOneRecordPerCall(stage, scene);
}

export async function claudeCodeChecks(bench: ClaudeCodeBench): Promise<readonly Check[]> {
  const { stage } = bench;
  const scene = await openScene(stage, { name: "claude-code", accounts: 2 });
  return [
    {
      name: "Claude Code answers a prompt with ANTHROPIC_AUTH_TOKEN",
      run: () => answersPrompt(bench, { ANTHROPIC_AUTH_TOKEN: scene.key }),
    },
    {
      name: "Claude Code answers a prompt with ANTHROPIC_API_KEY",
      run: () => answersPrompt(bench, { ANTHROPIC_API_KEY: scene.key }),
    },
    {
      name: "Claude Code runs a tool and hands its output in",
      async run() {
        const settings = { ANTHROPIC_AUTH_TOKEN: scene.key };
        const run = await claudeWith(bench, settings, (claude) => claude.ask("TOOLTASK: run", TOOLS_ALLOWED));
        // The fake says this only to a tool_result with that text.
        assertSaid(run, /the tool said: relay-tool-ok\s*$/);
      },
    },
    {
      name: "the ledger has one exact record for each of these calls, and no slot is held",
      async run() {
        await assertOneRecordPerCall(stage, scene);
        await assertNothingHeld(stage, scene);
      },
    },
    {
      name: "each conversation of Claude Code stays with one of two accounts",
      run: () => staysWithItsAccount(bench),
    },
  ];
}
