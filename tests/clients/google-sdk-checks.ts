/** What must hold of Google's SDK behind the relay. */
import assert from "node:assert/strict";
import { ApiError, type Content, type GenerateContentResponse, GoogleGenAI } from "@google/genai";
import { answer, type Behaviour } from "../upstream/behaviour.ts";
import { TOOL_TASK } from "../upstream/conversation.ts";
import { googleStatus, quotaExceeded } from "../upstream/google/behaviours.ts";
import { assertNothingHeld, ledgerCheck } from "./bookkeeping.ts";
import type { Check } from "./checks.ts";
import { failureOf } from "./failure-of.ts";
import { SILENCE_MS, openScene, type Scene, type SceneProvider, type Stage } from "./stage.ts";

const CALL_TIMEOUT_MS = 30_000;
/** Longer than the relay itself waits for an account. */
const RETRY_DELAY_S = 30;

const MODEL = "gemini-2.5-pro";
const PROMPT = "say hello to the SDK";
const SAID = new RegExp(`^fake answer: ${PROMPT} 你好，世界 🌍`);
const CALL = { model: MODEL, contents: PROMPT };
/** How the fake counts a request: 10 and a token for each character. */
const INPUT_TOKENS = 10 + PROMPT.length;

const SHELL = {
  name: "run_shell_command",
  description: "Runs a command.",
  parametersJsonSchema: {
    type: "object",
    properties: { command: { type: "string" } },
    required: ["command"],
  },
} as const;

/** The Gemini API by the relay's own address or below its prefix, and Vertex AI with a key. */
const PLACES = {
  root: { prefix: "" },
  prefix: { prefix: "/gemini" },
  vertex: { prefix: "", vertexai: true },
} as const;

function clientFor(
  stage: Stage,
  { key }: Pick<Scene, "key">,
  place: keyof typeof PLACES = "root",
): GoogleGenAI {
  const { prefix, ...options } = PLACES[place];
  return new GoogleGenAI({
    ...options,
    apiKey: key,
    httpOptions: { baseUrl: stage.relayUrl + prefix, timeout: CALL_TIMEOUT_MS },
  });
}

function assertAnswer({ text, usageMetadata, candidates }: GenerateContentResponse): void {
  assert.match(text ?? "", SAID);
  assert.equal(candidates?.[0]?.finishReason, "STOP");
  assert.equal(usageMetadata?.promptTokenCount, INPUT_TOKENS);
}

async function streams(client: GoogleGenAI): Promise<void> {
  const pieces: string[] = [];
  let last: GenerateContentResponse | undefined;
  for await (const chunk of await client.models.generateContentStream(CALL)) {
    if (chunk.text) pieces.push(chunk.text);
    last = chunk;
  }
  assert(pieces.length > 1, "the text came in one piece");
  assert.match(pieces.join(""), SAID);
  assert.equal(last?.candidates?.[0]?.finishReason, "STOP");
  assert.equal(last.usageMetadata?.promptTokenCount, INPUT_TOKENS);
}

async function callsFunction(client: GoogleGenAI): Promise<void> {
  const contents: Content[] = [{ role: "user", parts: [{ text: `${TOOL_TASK}: run` }] }];
  const config = { tools: [{ functionDeclarations: [SHELL] }] };
  const first = await client.models.generateContent({ model: MODEL, contents, config });
  const call = first.functionCalls?.[0];
  const turn = first.candidates?.[0]?.content;
  assert.deepEqual([call?.name, call?.args], [SHELL.name, { command: "echo relay-tool-ok" }]);
  const signatures = turn?.parts?.flatMap(({ thoughtSignature }) => thoughtSignature ?? []);
  assert(turn !== undefined && signatures?.length === 1, "the call's thought signature is lost");
  const response = { id: call?.id ?? "", name: SHELL.name, response: { output: "relay-tool-ok" } };
  contents.push(turn, { role: "user", parts: [{ functionResponse: response }] });
  const second = await client.models.generateContent({ model: MODEL, contents, config });
  assert.match(second.text ?? "", /^fake answer: the tool said: .*relay-tool-ok/);
}

async function listsModels(client: GoogleGenAI): Promise<void> {
  const names: string[] = [];
  for await (const { name } of await client.models.list()) names.push(name ?? "");
  assert(names.includes(`models/${MODEL}`), `no ${MODEL} in ${names.join(", ")}`);
}

async function refusesWrongKey(stage: Stage): Promise<void> {
  const client = clientFor(stage, { key: `cr_${"0".repeat(64)}` });
  const failure = await failureOf(client.models.generateContent(CALL));
  assert(failure instanceof ApiError, String(failure));
  assert.equal(failure.status, 401);
  assert.match(failure.message, /UNAUTHENTICATED/);
}

async function passesOn(
  stage: Stage,
  name: string,
  behaviour: Behaviour,
  expected: { readonly status: number; readonly message: RegExp },
): Promise<void> {
  const scene = await openScene(stage, { name, provider: "gemini-api", accounts: 1 });
  await stage.upstream.next(`${name}-1`, behaviour);
  const failure = await failureOf(clientFor(stage, scene).models.generateContent(CALL));
  assert(failure instanceof ApiError, String(failure));
  assert.equal(failure.status, expected.status);
  assert.match(failure.message, expected.message);
  await assertNothingHeld(stage, scene);
}

async function throwsOnBreak(stage: Stage, mode: "reset" | "cleanEnd"): Promise<void> {
  const name = `google-${mode}`;
  const scene = await openScene(stage, { name, provider: "gemini-api", accounts: 1 });
  await stage.upstream.next(`${name}-1`, { kind: "cut", afterEvents: 2, mode });
  const failure = await failureOf(streams(clientFor(stage, scene)));
  assert(failure instanceof ApiError, String(failure));
  await assertNothingHeld(stage, scene);
}

/** Like Google's other clients, it takes a comment between two events for a broken one. */
async function bearsSilence(stage: Stage): Promise<void> {
  const scene = await openScene(stage, { name: "google-slow", provider: "gemini-api", accounts: 1 });
  await stage.upstream.next("google-slow-1", answer({ events: 2, eventIntervalMs: SILENCE_MS }));
  await streams(clientFor(stage, scene));
}

const failureChecks = (stage: Stage): readonly Check[] => [
  { name: "Google's SDK throws a 401 for a wrong key", run: () => refusesWrongKey(stage) },
  {
    name: "Google's SDK throws a 429 that names the delay",
    run: () =>
      passesOn(
        stage,
        "google-limited",
        quotaExceeded("GenerateRequestsPerMinutePerProjectPerModel", `${String(RETRY_DELAY_S)}s`),
        { status: 429, message: /RESOURCE_EXHAUSTED.*retryDelay/s },
      ),
  },
  {
    name: "Google's SDK throws a 400 with the upstream's own words",
    run: () =>
      passesOn(
        stage,
        "google-refused",
        googleStatus(400, "INVALID_ARGUMENT", "Please use a valid role: user, model."),
        { status: 400, message: /Please use a valid role/ },
      ),
  },
  { name: "Google's SDK throws when a stream is cut", run: () => throwsOnBreak(stage, "reset") },
  { name: "Google's SDK throws when a stream ends too early", run: () => throwsOnBreak(stage, "cleanEnd") },
  { name: "Google's SDK gets a slow answer without comments in it", run: () => bearsSilence(stage) },
];

async function checksOn(stage: Stage, provider: SceneProvider): Promise<readonly Check[]> {
  const scene = await openScene(stage, { name: `google-sdk-${provider}`, provider, accounts: 2 });
  const client = clientFor(stage, scene);
  const title = `Google's SDK on ${provider} accounts`;
  const generates = async (place: keyof typeof PLACES) => {
    assertAnswer(await clientFor(stage, scene, place).models.generateContent(CALL));
  };
  return [
    { name: `${title} gets an answer in one piece`, run: () => generates("root") },
    { name: `${title} gets an answer below the relay's prefix`, run: () => generates("prefix") },
    { name: `${title} gets an answer in the manner of Vertex AI`, run: () => generates("vertex") },
    { name: `${title} streams an answer`, run: () => streams(client) },
    { name: `${title} calls a function`, run: () => callsFunction(client) },
    {
      name: `${title} counts tokens`,
      async run() {
        assert.equal((await client.models.countTokens(CALL)).totalTokens, INPUT_TOKENS);
      },
    },
    {
      name: `${title} lists the models below the relay's prefix`,
      run: () => listsModels(clientFor(stage, scene, "prefix")),
    },
    ledgerCheck(stage, scene, title),
  ];
}

export async function googleSdkChecks(stage: Stage): Promise<readonly Check[]> {
  return [
    ...(await checksOn(stage, "gemini-api")),
    ...(await checksOn(stage, "gemini-oauth")),
    ...failureChecks(stage),
  ];
}
