/** What must hold of Claude Code behind the relay when everything works. */
import { assertOneRecordPerCall, ledgerCheck } from "./bookkeeping.ts";
import type { Check } from "./checks.ts";
import { claudeCodeFailureChecks } from "./claude-code-failure-checks.ts";
import { claudeWith, type Settings, TOOLS_ALLOWED } from "./claude-code.ts";
import { assertSaid, type Bench } from "./cli.ts";
import { assertAffinity, CONVERSATIONS } from "./sessions.ts";
import { openScene, type Scene } from "./stage.ts";

async function answersPrompt(bench: Bench, settings: Settings): Promise<void> {
  const run = await claudeWith(bench, settings, (claude) => claude.ask("say hello to the relay"));
  assertSaid(run, /fake answer: say hello to the relay/);
}

async function converse(bench: Bench, scene: Scene): Promise<void> {
  await claudeWith(bench, { ANTHROPIC_AUTH_TOKEN: scene.key }, async (claude) => {
    assertSaid(await claude.ask("TOOLTASK: begin", TOOLS_ALLOWED), /the tool said: relay-tool-ok/);
    assertSaid(await claude.ask("and go on", "--continue"), /fake answer: and go on/);
  });
}

async function staysWithItsAccount(bench: Bench): Promise<void> {
  const { stage } = bench;
  const scene = await openScene(stage, { name: "claude-sessions", provider: "claude-console", accounts: 2 });
  for (let index = 0; index < CONVERSATIONS; index++) await converse(bench, scene);
  await assertAffinity(stage, scene, {
    conversations: CONVERSATIONS,
    nameOf: ({ headers }) => headers["x-claude-code-session-id"],
  });
  await assertOneRecordPerCall(stage, scene);
}

export async function claudeCodeChecks(bench: Bench): Promise<readonly Check[]> {
  const { stage } = bench;
  const scene = await openScene(stage, { name: "claude-code", provider: "claude-console", accounts: 2 });
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
    ledgerCheck(stage, scene, "Claude Code"),
    {
      name: "each conversation of Claude Code stays with one of two accounts",
      run: () => staysWithItsAccount(bench),
    },
    ...claudeCodeFailureChecks(bench),
  ];
}
