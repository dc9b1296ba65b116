/** What must hold of Gemini CLI behind the relay when everything works. */
import assert from "node:assert/strict";
import { TOOL_TASK } from "../upstream/conversation.ts";
import { assertOneRecordPerCall, ledgerCheck } from "./bookkeeping.ts";
import type { Check } from "./checks.ts";
import { assertSaid, type Bench } from "./cli.ts";
import { geminiCliFailureChecks } from "./gemini-cli-failure-checks.ts";
import { geminiWith, MODEL, type Way } from "./gemini-cli.ts";
import { assertAffinity, CONVERSATIONS } from "./sessions.ts";
import { openScene, type Scene, type SceneProvider } from "./stage.ts";

async function answersPrompt(bench: Bench, scene: Scene, way: Way): Promise<void> {
  const run = await geminiWith(bench, scene, way, (gemini) => gemini.ask("say hello to the relay"));
  assertSaid(run, /fake answer: say hello to the relay/);
}

/** The fake says this only to a tool's result with that text. */
async function runsTool(bench: Bench, scene: Scene, way: Way): Promise<void> {
  const run = await geminiWith(bench, scene, way, (gemini) => gemini.ask(`${TOOL_TASK}: run`, "-m", MODEL));
  assertSaid(run, /fake answer: the tool said: .*relay-tool-ok/);
}

async function staysWithItsAccount(bench: Bench, provider: SceneProvider, way: Way): Promise<void> {
  const { stage } = bench;
  const scene = await openScene(stage, { name: `${provider}-sessions`, provider, accounts: 2 });
  await Promise.all(scene.accounts.map(({ credential }) => stage.upstream.recordBodies(credential)));
  for (let index = 1; index <= CONVERSATIONS; index++) {
    await geminiWith(bench, scene, way, async (gemini) => {
      const begin = `${TOOL_TASK}: begin conversation-${String(index)}`;
      assertSaid(await gemini.ask(begin, "-m", MODEL), /the tool said: /);
      assertSaid(await gemini.goOn("and go on", "-m", MODEL), /fake answer: and go on/);
    });
  }
  await assertAffinity(stage, scene, {
    conversations: CONVERSATIONS,
    nameOf: ({ path, body }) =>
      path.includes("streamGenerateContent") ? /conversation-\d/.exec(JSON.stringify(body))?.[0] : null,
  });
  await assertOneRecordPerCall(stage, scene);
}

/** Which account serves a call about the account itself must not matter, and nothing of it is booked. */
async function asksAboutItsAccount(bench: Bench, scene: Scene): Promise<void> {
  const log = await Promise.all(scene.accounts.map(({ credential }) => bench.stage.upstream.log(credential)));
  const methods = log.flat().map(({ path }) => /v1internal:(\w+)/.exec(path)?.[1]);
  for (const method of ["loadCodeAssist", "retrieveUserQuota", "listExperiments"])
    assert(methods.includes(method), `no ${method} among ${methods.join(", ")}`);
}

interface Mode {
  readonly provider: SceneProvider;
  readonly way: Way;
  readonly title: string;
}

const API_KEY: Mode = { provider: "gemini-api", way: "apiKey", title: "Gemini CLI with an API key" };
const CODE_ASSIST: Mode = {
  provider: "gemini-oauth",
  way: "codeAssist",
  title: "Gemini CLI signed in to Code Assist",
};

const checksOf = (bench: Bench, scene: Scene, { provider, way, title }: Mode): readonly Check[] => [
  {
    name: `${title} asks which model fits and answers a prompt`,
    run: () => answersPrompt(bench, scene, way),
  },
  { name: `${title} runs a tool and hands its output in`, run: () => runsTool(bench, scene, way) },
  ledgerCheck(bench.stage, scene, title),
  {
    name: `each conversation of ${title} stays with one of two accounts`,
    run: () => staysWithItsAccount(bench, provider, way),
  },
];

export async function geminiCliChecks(bench: Bench): Promise<readonly Check[]> {
  const open = (mode: Mode) =>
    openScene(bench.stage, { name: mode.provider, provider: mode.provider, accounts: 2 });
  const codeAssist = await open(CODE_ASSIST);
  return [
    ...checksOf(bench, await open(API_KEY), API_KEY),
    ...checksOf(bench, codeAssist, CODE_ASSIST),
    {
      name: "Gemini CLI signed in to Code Assist was told about its account",
      run: () => asksAboutItsAccount(bench, codeAssist),
    },
    ...geminiCliFailureChecks(bench),
  ];
}
