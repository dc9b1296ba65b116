/** What must hold of Droid, with models of one's own, behind the relay. */
import assert from "node:assert/strict";
import { type Behaviour, overloaded } from "../upstream/behaviour.ts";
import { TOOL_TASK } from "../upstream/conversation.ts";
import { assertAskedAgain, assertOneRecordPerCall, assertSpared, ledgerCheck } from "./bookkeeping.ts";
import type { Check } from "./checks.ts";
import { assertSaid, type Bench, type Run } from "./cli.ts";
import { type Dialect, droidWith } from "./droid.ts";
import { assertAffinity } from "./sessions.ts";
import { openFailoverScene, openScene, type Scene, type SceneProvider } from "./stage.ts";

/** Accounts that speak each dialect. */
const PROVIDERS = {
  anthropic: "claude-console",
  openai: "openai-responses",
  "generic-chat-completion-api": "openai-responses",
} as const satisfies Readonly<Record<Dialect, SceneProvider>>;

const DIALECTS = ["anthropic", "openai", "generic-chat-completion-api"] as const;

/** Cut off from its maker, it goes on with no earlier conversation, so that each has two calls only. */
const CONVERSATIONS = 8;

/** This falls between the first two pieces of text. */
const EVENTS_INTO_TEXT = 4;

const ask = (bench: Bench, scene: Pick<Scene, "key">, dialect: Dialect, prompt: string): Promise<Run> =>
  droidWith(bench, scene, dialect, (droid) => droid.ask(prompt));

async function answersPrompt(bench: Bench, scene: Scene, dialect: Dialect): Promise<void> {
  assertSaid(
    await ask(bench, scene, dialect, "say hello to the relay"),
    /fake answer: say hello to the relay/,
  );
}

/** The fake says this only to a tool's result with that text. */
async function runsTool(bench: Bench, scene: Scene, dialect: Dialect): Promise<void> {
  const run = await ask(bench, scene, dialect, `${TOOL_TASK}: run`);
  assertSaid(run, /fake answer: the tool said: relay-tool-ok/);
}

/** Its maker's own organization at OpenAI, which Droid names whoever's key it sends. */
async function namesNoOrganization(bench: Bench, scene: Scene): Promise<void> {
  for (const { credential } of scene.accounts) {
    for (const { headers } of await bench.stage.upstream.log(credential)) {
      const foreign = Object.entries(headers).filter((entry) =>
        /^org-|openai-platform/.test(entry.join(" ")),
      );
      assert.deepEqual(foreign, [], "headers that the account got");
    }
  }
}

async function staysWithItsAccount(bench: Bench): Promise<void> {
  const { stage } = bench;
  const scene = await openScene(stage, { name: "droid-sessions", provider: "claude-console", accounts: 2 });
  await Promise.all(scene.accounts.map(({ credential }) => stage.upstream.recordBodies(credential)));
  for (let index = 1; index <= CONVERSATIONS; index++) {
    const run = await ask(bench, scene, "anthropic", `${TOOL_TASK}: run conversation-${String(index)}`);
    assertSaid(run, /the tool said: /);
  }
  await assertAffinity(stage, scene, {
    conversations: CONVERSATIONS,
    nameOf: ({ body }) => /conversation-\d/.exec(JSON.stringify(body))?.[0],
  });
  await assertOneRecordPerCall(stage, scene);
}

async function recoversByItself(bench: Bench, dialect: Dialect, trouble: Behaviour): Promise<void> {
  const name = `droid-${dialect}-${trouble.kind}`;
  const scene = await openFailoverScene(bench.stage, { name, provider: PROVIDERS[dialect] });
  await bench.stage.upstream.next(scene.first.credential, trouble);
  assertSaid(await ask(bench, scene, dialect, "say it anyway"), /fake answer: say it anyway/);
  await assertAskedAgain(bench.stage, scene, "first");
}

async function isSpared(bench: Bench): Promise<void> {
  const scene = await openFailoverScene(bench.stage, {
    name: "droid-overloaded",
    provider: "claude-console",
  });
  await bench.stage.upstream.next(scene.first.credential, overloaded());
  assertSaid(await ask(bench, scene, "anthropic", "say it anyway"), /fake answer: say it anyway/);
  await assertSpared(bench.stage, scene);
}

async function givesUpOnWrongKey(bench: Bench): Promise<void> {
  const run = await ask(bench, { key: `cr_${"0".repeat(64)}` }, "anthropic", "let me in");
  assert.notEqual(run.exitCode, 0, run.output);
}

async function checksIn(bench: Bench, dialect: Dialect): Promise<readonly Check[]> {
  const scene = await openScene(bench.stage, {
    name: `droid-${dialect}`,
    provider: PROVIDERS[dialect],
    accounts: 2,
  });
  const title = `Droid with a model of kind ${dialect}`;
  return [
    { name: `${title} answers a prompt`, run: () => answersPrompt(bench, scene, dialect) },
    { name: `${title} runs a tool and hands its output in`, run: () => runsTool(bench, scene, dialect) },
    ledgerCheck(bench.stage, scene, title),
    {
      name: `${title} names no organization to the account`,
      run: () => namesNoOrganization(bench, scene),
    },
    {
      name: `${title} recovers from a connection that is cut inside its answer`,
      run: () =>
        recoversByItself(bench, dialect, { kind: "cut", afterEvents: EVENTS_INTO_TEXT, mode: "reset" }),
    },
  ];
}

export async function droidChecks(bench: Bench): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const dialect of DIALECTS) checks.push(...(await checksIn(bench, dialect)));
  return [
    ...checks,
    {
      name: "each conversation of Droid stays with one of two accounts",
      run: () => staysWithItsAccount(bench),
    },
    { name: "Droid does not notice an overloaded account", run: () => isSpared(bench) },
    { name: "Droid gives up on a wrong key", run: () => givesUpOnWrongKey(bench) },
  ];
}
