/** What must hold of Anthropic's SDK behind the relay. */
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { invalidRequest, rateLimited } from "../upstream/behaviour.ts";
import { assertNothingHeld, ledgerCheck } from "./bookkeeping.ts";
import type { Check } from "./checks.ts";
import { failureOf } from "./failure-of.ts";
import { openScene, type Scene, type Stage } from "./stage.ts";

const CALL_TIMEOUT_MS = 30_000;
const RETRY_AFTER_S = 7;

const MODEL = "claude-haiku-4-5";
const PROMPT = "say hello to the SDK";
const ASKED = { model: MODEL, messages: [{ role: "user" as const, content: PROMPT }] };
const CALL = { ...ASKED, max_tokens: 64 };
/** How the fake counts a request without markers: 10 and a token for each character. */
const INPUT_TOKENS = 10 + PROMPT.length;

const clientFor = (stage: Stage, key: string) =>
  new Anthropic({ baseURL: stage.relayUrl, apiKey: key, maxRetries: 0, timeout: CALL_TIMEOUT_MS });

function assertAnswer(message: Anthropic.Message): void {
  assert.equal(message.stop_reason, "end_turn");
  assert.equal(message.usage.input_tokens, INPUT_TOKENS);
  const text = message.content.map((block) => (block.type === "text" ? block.text : "")).join("");
  assert.match(text, new RegExp(`^fake answer: ${PROMPT} 你好，世界 🌍`));
}

async function streams(stage: Stage, scene: Scene): Promise<void> {
  const deltas: string[] = [];
  const stream = clientFor(stage, scene.key).messages.stream(CALL);
  stream.on("text", (text) => deltas.push(text));
  assertAnswer(await stream.finalMessage());
  assert(deltas.length > 1, "the text came in one piece");
}

async function listsModels(stage: Stage, scene: Scene): Promise<void> {
  const names: string[] = [];
  for await (const model of clientFor(stage, scene.key).models.list()) names.push(model.id);
  assert(names.includes(MODEL), `no ${MODEL} in ${names.join(", ")}`);
}

async function refusesWrongKey(stage: Stage): Promise<void> {
  const failure = await failureOf(clientFor(stage, `cr_${"0".repeat(64)}`).messages.create(CALL));
  assert(failure instanceof Anthropic.AuthenticationError, String(failure));
  assert.equal(failure.status, 401);
  assert.equal(failure.type, "authentication_error");
}

async function passesLimitOn(stage: Stage): Promise<void> {
  const scene = await openScene(stage, { name: "sdk-limited", provider: "claude-console", accounts: 1 });
  await stage.upstream.next("sdk-limited-1", rateLimited({ retryAfterS: RETRY_AFTER_S }));
  const failure = await failureOf(clientFor(stage, scene.key).messages.create(CALL));
  assert(failure instanceof Anthropic.RateLimitError, String(failure));
  const retryAfterS = Number(failure.headers.get("retry-after"));
  assert(
    retryAfterS >= RETRY_AFTER_S - 1 && retryAfterS <= RETRY_AFTER_S,
    `retry-after: ${String(retryAfterS)}`,
  );
  await assertNothingHeld(stage, scene);
}

async function passesRefusalOn(stage: Stage): Promise<void> {
  const scene = await openScene(stage, { name: "sdk-refused", provider: "claude-console", accounts: 1 });
  await stage.upstream.next("sdk-refused-1", invalidRequest("max_tokens: too many for this test"));
  const failure = await failureOf(clientFor(stage, scene.key).messages.create(CALL));
  assert(failure instanceof Anthropic.BadRequestError, String(failure));
  assert.match(failure.message, /too many for this test/);
  await assertNothingHeld(stage, scene);
}

async function throwsOnCut(stage: Stage): Promise<void> {
  const scene = await openScene(stage, { name: "sdk-cut", provider: "claude-console", accounts: 1 });
  await stage.upstream.next("sdk-cut-1", { kind: "cut", afterEvents: 4, mode: "reset" });
  const failure = await failureOf(clientFor(stage, scene.key).messages.stream(CALL).finalMessage());
  assert(failure instanceof Anthropic.APIError, String(failure));
  await assertNothingHeld(stage, scene);
}

export async function anthropicSdkChecks(stage: Stage): Promise<readonly Check[]> {
  const scene = await openScene(stage, { name: "sdk", provider: "claude-console", accounts: 2 });
  const client = clientFor(stage, scene.key);
  return [
    { name: "the Anthropic SDK streams an answer", run: () => streams(stage, scene) },
    {
      name: "the Anthropic SDK gets an answer in one piece",
      async run() {
        assertAnswer(await client.messages.create(CALL));
      },
    },
    {
      name: "the Anthropic SDK counts tokens",
      async run() {
        assert.equal((await client.messages.countTokens(ASKED)).input_tokens, INPUT_TOKENS);
      },
    },
    { name: "the Anthropic SDK lists the models", run: () => listsModels(stage, scene) },
    ledgerCheck(stage, scene, "the Anthropic SDK"),
    {
      name: "the Anthropic SDK throws AuthenticationError for a wrong key",
      run: () => refusesWrongKey(stage),
    },
    {
      name: "the Anthropic SDK throws RateLimitError with the upstream's retry-after",
      run: () => passesLimitOn(stage),
    },
    {
      name: "the Anthropic SDK throws BadRequestError with the upstream's own words",
      run: () => passesRefusalOn(stage),
    },
    { name: "the Anthropic SDK throws when a stream is cut", run: () => throwsOnCut(stage) },
  ];
}
