/** What must hold of command-line clients whose words the relay puts into another dialect. */
import type { ProtocolId } from "../../../worker/domain/protocol-id.ts";
import { TOOL_TASK } from "../../upstream/conversation.ts";
import { assertNothingHeld, assertOneRecordPerCall } from "../bookkeeping.ts";
import type { Check } from "../checks.ts";
import { claudeWith, TOOLS_ALLOWED } from "../claude-code.ts";
import { assertSaid, type Bench, type Run } from "../cli.ts";
import { CALLING_MODEL, codexWith, SCRIPTING_MODEL } from "../codex.ts";
import { geminiWith, MODEL as GEMINI_MODEL } from "../gemini-cli.ts";
import type { Scene } from "../stage.ts";
import { assertCrossed, type CrossingProvider, openCrossing } from "./accounts.ts";

interface Conversation {
  readonly ask: (prompt: string) => Promise<Run>;
  readonly goOn: (prompt: string) => Promise<Run>;
}

/** A client as it is set up for these checks. */
interface Client {
  readonly title: string;
  readonly protocol: ProtocolId;
  /** Every model that it asks for. */
  readonly models: RegExp;
  /**
   * What it prints of the tool's output that it has handed in: the fake says this to nothing else. Where it is Gemini,
   * it says the output as JSON.
   */
  readonly ran: RegExp;
  converse(bench: Bench, scene: Scene, use: (conversation: Conversation) => Promise<void>): Promise<void>;
}

const CLAUDE_CODE: Client = {
  title: "Claude Code",
  protocol: "anthropic",
  models: /^claude-/,
  ran: /the tool said: (\{"result":")?relay-tool-ok/,
  converse: (bench, { key }, use) =>
    claudeWith(bench, { ANTHROPIC_AUTH_TOKEN: key }, (claude) =>
      use({
        ask: (prompt) => claude.ask(prompt, TOOLS_ALLOWED),
        goOn: (prompt) => claude.ask(prompt, TOOLS_ALLOWED, "--continue"),
      }),
    ),
};

const codex = (model: string, title: string): Client => ({
  title,
  protocol: "openai-responses",
  models: new RegExp(`^${model}$`),
  ran: /fake answer: the tool said: [\s\S]*Output:(\s|\\n)*relay-tool-ok/,
  converse: (bench, scene, use) => codexWith(bench, scene, { model }, use),
});

const CODEX = codex(CALLING_MODEL, "Codex");
/** Its tool takes a text of its own form, which no other dialect has. */
const SCRIPTING_CODEX = codex(SCRIPTING_MODEL, "Codex with scripts");

const GEMINI_CLI: Client = {
  title: "Gemini CLI with an API key",
  protocol: "gemini",
  models: /^gemini-/,
  ran: /fake answer: the tool said: [\s\S]*Output: relay-tool-ok/,
  converse: (bench, scene, use) =>
    geminiWith(bench, scene, "apiKey", (gemini) =>
      use({
        ask: (prompt) => gemini.ask(prompt, "-m", GEMINI_MODEL),
        goOn: (prompt) => gemini.goOn(prompt, "-m", GEMINI_MODEL),
      }),
    ),
};

async function checksOn(bench: Bench, client: Client, provider: CrossingProvider): Promise<readonly Check[]> {
  const { stage } = bench;
  const name = `crossing ${client.title} ${provider}`;
  const scene = await openCrossing(stage, name.replaceAll(" ", "-").toLowerCase(), provider);
  const on = `${client.title} on ${provider} accounts`;
  return [
    {
      name: `${on} answers a prompt`,
      run: () =>
        client.converse(bench, scene, async ({ ask }) => {
          assertSaid(await ask("say hello to the relay"), /fake answer: say hello to the relay/);
        }),
    },
    {
      name: `${on} runs a tool, hands its output in and goes on`,
      run: () =>
        client.converse(bench, scene, async ({ ask, goOn }) => {
          assertSaid(await ask(`${TOOL_TASK}: run`), client.ran);
          assertSaid(await goOn("and go on"), /fake answer: and go on/);
        }),
    },
    {
      name: `the ledger has one exact record for each call of ${on}, and no slot is held`,
      async run() {
        const records = await assertOneRecordPerCall(stage, scene);
        assertCrossed(records, scene, client);
        await assertNothingHeld(stage, scene);
      },
    },
  ];
}

const checksOnEach =
  (client: Client, providers: readonly CrossingProvider[]) =>
  async (bench: Bench): Promise<readonly Check[]> => {
    const checks: Check[] = [];
    for (const provider of providers) checks.push(...(await checksOn(bench, client, provider)));
    return checks;
  };

export const crossingClaudeCodeChecks = checksOnEach(CLAUDE_CODE, [
  "gemini-api",
  "openai-responses",
  "openai-chat",
]);

export async function crossingCodexChecks(bench: Bench): Promise<readonly Check[]> {
  return [
    ...(await checksOnEach(CODEX, ["claude-console", "gemini-api"])(bench)),
    ...(await checksOnEach(SCRIPTING_CODEX, ["claude-console", "gemini-api"])(bench)),
  ];
}

/** Without a model named, it asks one which model fits. */
export async function crossingGeminiCliChecks(bench: Bench): Promise<readonly Check[]> {
  const scene = await openCrossing(bench.stage, "crossing-gemini-cli-route", "claude-console");
  return [
    ...(await checksOnEach(GEMINI_CLI, ["claude-console"])(bench)),
    {
      name: "Gemini CLI with an API key asks which model fits on claude-console accounts, and answers",
      run: () =>
        geminiWith(bench, scene, "apiKey", async (gemini) => {
          assertSaid(await gemini.ask("say hello to the relay"), /fake answer: say hello to the relay/);
          assertCrossed(await assertOneRecordPerCall(bench.stage, scene), scene, GEMINI_CLI);
        }),
    },
  ];
}
