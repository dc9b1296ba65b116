/** What must hold of Codex behind the relay when everything works. */
import assert from "node:assert/strict";
import { TOOL_TASK } from "../upstream/conversation.ts";
import { assertOneRecordPerCall, ledgerCheck } from "./bookkeeping.ts";
import type { Check } from "./checks.ts";
import { assertSaid, type Bench, type Run } from "./cli.ts";
import { codexFailureChecks } from "./codex-failure-checks.ts";
import { CALLING_MODEL, type CodexOptions, codexWith, SCRIPTING_MODEL } from "./codex.ts";
import { assertAffinity, CONVERSATIONS } from "./sessions.ts";
import { openScene, type Scene, type SceneProvider } from "./stage.ts";

/** What Codex prints when its WebSocket is refused, and when it has to try anything again. */
const REFUSED_WEBSOCKET = /failed to connect to Responses WebSocket/;
const RETRIED = /Reconnecting/;

const ask = (bench: Bench, scene: Scene, options: CodexOptions, prompt: string): Promise<Run> =>
  codexWith(bench, scene, options, (codex) => codex.ask(prompt));

async function answersPrompt(bench: Bench, scene: Scene, options: CodexOptions): Promise<Run> {
  const run = await ask(bench, scene, options, "say hello to the relay");
  assertSaid(run, /fake answer: say hello to the relay/);
  assert.doesNotMatch(run.output, RETRIED);
  return run;
}

async function fallsBackToEvents(bench: Bench, scene: Scene): Promise<void> {
  const run = await answersPrompt(bench, scene, { way: "builtIn" });
  assert.match(run.output, REFUSED_WEBSOCKET);
}

/** The fake says this only to a tool's result with that text. */
async function runsTool(bench: Bench, scene: Scene, options: CodexOptions): Promise<void> {
  const run = await ask(bench, scene, options, `${TOOL_TASK}: run`);
  assertSaid(run, /fake answer: the tool said: [\s\S]*Output:\s*relay-tool-ok/);
}

async function staysWithItsAccount(bench: Bench): Promise<void> {
  const { stage } = bench;
  const scene = await openScene(stage, { name: "codex-sessions", provider: "openai-oauth", accounts: 2 });
  for (let index = 0; index < CONVERSATIONS; index++) {
    await codexWith(bench, scene, {}, async (codex) => {
      assertSaid(await codex.ask(`${TOOL_TASK}: begin`), /the tool said: /);
      assertSaid(await codex.goOn("and go on"), /fake answer: and go on/);
    });
  }
  await assertAffinity(stage, scene, {
    conversations: CONVERSATIONS,
    nameOf: ({ headers }) => headers["session-id"],
  });
  await assertOneRecordPerCall(stage, scene);
}

async function checksOn(bench: Bench, provider: SceneProvider): Promise<readonly Check[]> {
  const { stage } = bench;
  const scene = await openScene(stage, { name: `codex-${provider}`, provider, accounts: 2 });
  const on = `on ${provider} accounts`;
  return [
    {
      name: `Codex answers a prompt with a provider of its own settings, ${on}`,
      run: async () => void (await answersPrompt(bench, scene, { way: "custom" })),
    },
    {
      name: `Codex answers a prompt with openai_base_url, whose WebSocket is refused once, ${on}`,
      run: () => fallsBackToEvents(bench, scene),
    },
    {
      name: `Codex calls a tool and hands its output in, ${on}`,
      run: () => runsTool(bench, scene, { model: CALLING_MODEL }),
    },
    {
      name: `Codex runs a script of tools and hands its output in, with openai_base_url, ${on}`,
      run: () => runsTool(bench, scene, { way: "builtIn", model: SCRIPTING_MODEL }),
    },
    ledgerCheck(stage, scene, `Codex ${on}`),
  ];
}

export async function codexChecks(bench: Bench): Promise<readonly Check[]> {
  return [
    ...(await checksOn(bench, "openai-responses")),
    ...(await checksOn(bench, "openai-oauth")),
    {
      name: "each conversation of Codex stays with one of two accounts",
      run: () => staysWithItsAccount(bench),
    },
    ...codexFailureChecks(bench),
  ];
}
