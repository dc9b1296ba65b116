/** What must hold of the vendors' SDKs where the relay puts their words into another dialect. */
import assert from "node:assert/strict";
import type { UsageRecord } from "../../../worker/domain/usage.ts";
import { PAIR_TASK } from "../../upstream/conversation.ts";
import { TOOL_MARKERS } from "../../upstream/reply.ts";
import { assertFaithful, assertNothingHeld, recordsOf } from "../bookkeeping.ts";
import type { Check } from "../checks.ts";
import type { Stage } from "../stage.ts";
import {
  assertCrossed,
  type CrossingProvider,
  type CrossingScene,
  openCrossing,
  SERVED_BY,
} from "./accounts.ts";
import { ANTHROPIC } from "./anthropic-speaker.ts";
import { CHAT } from "./chat-speaker.ts";
import type { Heard, Output, Speaker } from "./dialogue.ts";
import { GOOGLE } from "./google-speaker.ts";
import { RESPONSES } from "./responses-speaker.ts";
import { SEEN } from "./seen-by-upstream.ts";

/** An account of one's own dialect is never translated for; with OpenAI's own keys that goes for chats, too. */
const PAIRS: readonly (readonly [Speaker, readonly CrossingProvider[]])[] = [
  [ANTHROPIC, ["openai-responses", "openai-oauth", "openai-chat", "gemini-api"]],
  [RESPONSES, ["claude-console", "openai-chat", "gemini-api"]],
  [CHAT, ["claude-console", "openai-oauth", "gemini-api"]],
  [GOOGLE, ["claude-console", "openai-responses", "openai-oauth", "openai-chat"]],
];

/** One black pixel. */
const PICTURE =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";
const GREETING = "say hello to the SDK";
/** What the fake signs a call with where it is Gemini. */
const SIGNATURE = "Zm9v";

/** The answers of a conversation, and what was handed in for the calls of the second. */
interface Told {
  readonly heard: readonly Heard[];
  readonly outputs: readonly Output[];
}

async function converse(
  stage: Stage,
  scene: CrossingScene,
  speaker: Speaker,
  stream: boolean,
): Promise<Told> {
  const dialogue = speaker.begin({ relayUrl: stage.relayUrl, key: scene.key, stream });
  const greeted = await dialogue.say(GREETING);
  const called = await dialogue.say(`${PAIR_TASK}: look and run`, PICTURE);
  // The last first: only the ids tell which result is whose.
  const outputs = called.calls.map((call) => ({ call, text: `came of ${call.id}.` })).toReversed();
  return { heard: [greeted, called, await dialogue.handIn(outputs)], outputs };
}

function assertHeard({ heard: [greeted, called, ended], outputs }: Told, { finishes }: Speaker): void {
  assert.match(greeted?.text ?? "", new RegExp(`^fake answer: ${GREETING} 你好，世界 🌍$`));
  assert.equal(greeted?.finish, finishes.end);
  assert.equal(called?.text, "I will run the tool. 我来运行工具。");
  const wanted = TOOL_MARKERS.map((marker) => ["shell", { command: `echo ${marker}` }]);
  assert.deepEqual(
    called.calls.map(({ name, input }) => [name, input]),
    wanted,
  );
  assert.equal(new Set(called.calls.map(({ id }) => id)).size, 2, "the calls have one id");
  assert.equal(called.finish, finishes.calls);
  assert.match(ended?.text ?? "", /^fake answer: the tool said: /);
  for (const { text } of outputs) assert(ended?.text.includes(text), `no "${text}" in ${ended?.text ?? ""}`);
  assert.deepEqual([ended?.calls, ended?.finish], [[], finishes.end]);
}

/** The last call has everything in it. */
async function assertSeen(
  stage: Stage,
  { provider, account }: CrossingScene,
  { outputs }: Told,
): Promise<void> {
  const { protocol } = SERVED_BY[provider];
  const log = await stage.upstream.log(account.credential);
  const seen = SEEN[protocol](log.at(-1)?.body);
  assert.deepEqual(seen.pictures, [PICTURE], "pictures that the upstream got");
  assert.deepEqual(
    seen.calls.map(({ input }) => input),
    TOOL_MARKERS.map((marker) => ({ command: `echo ${marker}` })),
    "calls that the upstream got back",
  );
  const byId = (pairs: readonly { readonly id: string; readonly text: string }[]) =>
    Object.fromEntries(pairs.map(({ id, text }) => [id, text]));
  assert.deepEqual(Object.keys(byId(seen.results)).sort(), seen.calls.map(({ id }) => id).sort());
  for (const { call, text } of outputs) {
    const place = seen.calls.find(({ input }) => JSON.stringify(input) === JSON.stringify(call.input));
    const result = byId(seen.results)[place?.id ?? ""] ?? "";
    assert(result.includes(text), `the result of ${JSON.stringify(call)} is ${result}`);
  }
  assert.deepEqual(seen.signatures, protocol === "gemini" ? [SIGNATURE] : [], "signatures of the calls");
}

const inputOf = ({ tokens }: UsageRecord) =>
  tokens.input + tokens.cacheRead + tokens.cacheWrite5m + tokens.cacheWrite1h;

/** @param count records of the scene so far; the conversation's are the last */
async function assertBooked(
  stage: Stage,
  scene: CrossingScene,
  { speaker, told, count }: { readonly speaker: Speaker; readonly told: Told; readonly count: number },
): Promise<void> {
  const records = await recordsOf(stage, scene, count);
  await assertFaithful(stage, scene.accounts, records);
  const models = new RegExp(`^${speaker.model}$`);
  assertCrossed(records, scene, { protocol: speaker.protocol, models });
  const figures = records
    .slice(-told.heard.length)
    .map((record) => ({ input: inputOf(record), output: record.tokens.output }));
  assert(figures.every(({ input, output }) => input > 0 && output > 0));
  assert.deepEqual(
    told.heard.map(({ tokens }) => tokens),
    figures,
    "tokens that the SDK was told, and those that were booked",
  );
}

async function checksOn(
  stage: Stage,
  speaker: Speaker,
  provider: CrossingProvider,
): Promise<readonly Check[]> {
  const name = `crossing-${speaker.protocol}-${provider}`;
  const scene = await openCrossing(stage, name, provider);
  return [true, false].map((stream, index) => ({
    name: `${speaker.title} on ${provider} accounts calls two tools at once${stream ? ", streamed" : ""}`,
    async run() {
      const told = await converse(stage, scene, speaker, stream);
      assertHeard(told, speaker);
      await assertSeen(stage, scene, told);
      await assertBooked(stage, scene, { speaker, told, count: (index + 1) * told.heard.length });
      await assertNothingHeld(stage, scene);
    },
  }));
}

export async function crossingSdkChecks(stage: Stage): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const [speaker, providers] of PAIRS) {
    for (const provider of providers) checks.push(...(await checksOn(stage, speaker, provider)));
  }
  return checks;
}
