/** What must hold of OpenAI's SDK behind the relay. */
import assert from "node:assert/strict";
import OpenAI, { type ClientOptions } from "openai";
import { answer, type Behaviour, openAiError } from "../upstream/behaviour.ts";
import { TOOL_TASK } from "../upstream/conversation.ts";
import { assertNothingHeld, ledgerCheck } from "./bookkeeping.ts";
import type { Check } from "./checks.ts";
import { failureOf } from "./failure-of.ts";
import { SILENCE_MS, openScene, type Scene, type Stage } from "./stage.ts";

const CALL_TIMEOUT_MS = 30_000;
const RETRY_AFTER_S = 7;
/** This falls between the first two pieces of text. */
const EVENTS_INTO_TEXT = 4;

const MODEL = "gpt-5.5";
const PROMPT = "say hello to the SDK";
const SAID = new RegExp(`^fake answer: ${PROMPT} 你好，世界 🌍`);
const CHAT = { model: MODEL, messages: [{ role: "user" as const, content: PROMPT }] };
const RESPONSE = { model: MODEL, input: PROMPT };
/** How the fake counts a request: 10 and a token for each character, and 20 and what is left of 50 for its answer. */
const INPUT_TOKENS = 10 + PROMPT.length;
const OUTPUT_TOKENS = 20 + (PROMPT.length % 50);

const SHELL = {
  name: "shell",
  description: "Runs a command.",
  parameters: {
    type: "object",
    properties: { command: { type: "string" } },
    required: ["command"],
    additionalProperties: false,
  },
} as const;
const COMMAND = JSON.stringify({ command: "echo relay-tool-ok" });

const clientFor = (stage: Stage, { key }: Pick<Scene, "key">, options: ClientOptions = {}) =>
  new OpenAI({
    baseURL: `${stage.relayUrl}/v1`,
    apiKey: key,
    maxRetries: 0,
    timeout: CALL_TIMEOUT_MS,
    ...options,
  });

async function chats(client: OpenAI): Promise<void> {
  const { choices, usage } = await client.chat.completions.create(CHAT);
  assert.match(choices[0]?.message.content ?? "", SAID);
  assert.equal(choices[0]?.finish_reason, "stop");
  assert.equal(usage?.prompt_tokens, INPUT_TOKENS);
}

/** @returns the tokens of the prompt that the stream told, if it did */
async function streamChat(client: OpenAI, includeUsage: boolean): Promise<number | undefined> {
  const options = includeUsage ? { stream_options: { include_usage: true } } : {};
  const stream = await client.chat.completions.create({ ...CHAT, stream: true, ...options });
  const pieces: string[] = [];
  let promptTokens: number | undefined;
  for await (const { choices, usage } of stream) {
    assert(includeUsage || choices.length > 0, "a chunk without choices that nobody asked for");
    if (choices[0]?.delta.content) pieces.push(choices[0].delta.content);
    promptTokens = usage?.prompt_tokens ?? promptTokens;
  }
  assert(pieces.length > 1, "the text came in one piece");
  assert.match(pieces.join(""), SAID);
  return promptTokens;
}

async function chatsWithTool(client: OpenAI): Promise<void> {
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: `${TOOL_TASK}: run` }];
  const tools: OpenAI.ChatCompletionTool[] = [{ type: "function", function: SHELL }];
  const { choices } = await client.chat.completions.create({ model: MODEL, messages, tools });
  const message = choices[0]?.message;
  const call = message?.tool_calls?.[0];
  assert(message !== undefined && call?.type === "function", JSON.stringify(choices));
  assert.deepEqual([call.function.name, call.function.arguments], [SHELL.name, COMMAND]);
  messages.push(message, { role: "tool", tool_call_id: call.id, content: "relay-tool-ok" });
  const second = await client.chat.completions.create({ model: MODEL, messages, tools });
  assert.equal(second.choices[0]?.message.content, "fake answer: the tool said: relay-tool-ok");
}

async function responds(client: OpenAI): Promise<void> {
  const { output_text: text, status, usage } = await client.responses.create(RESPONSE);
  assert.match(text, SAID);
  assert.equal(status, "completed");
  assert.deepEqual([usage?.input_tokens, usage?.output_tokens], [INPUT_TOKENS, OUTPUT_TOKENS]);
}

async function streamsResponse(client: OpenAI): Promise<void> {
  const pieces: string[] = [];
  const stream = client.responses.stream(RESPONSE);
  stream.on("response.output_text.delta", ({ delta }) => pieces.push(delta));
  const { usage } = await stream.finalResponse();
  assert(pieces.length > 1, "the text came in one piece");
  assert.match(pieces.join(""), SAID);
  assert.equal(usage?.output_tokens, OUTPUT_TOKENS);
}

async function respondsWithTool(client: OpenAI): Promise<void> {
  const input: OpenAI.Responses.ResponseInput = [{ role: "user", content: `${TOOL_TASK}: run` }];
  const tools: OpenAI.Responses.Tool[] = [{ type: "function", strict: true, ...SHELL }];
  const { output } = await client.responses.create({ model: MODEL, input, tools });
  const call = output.find((item) => item.type === "function_call");
  assert(call !== undefined, JSON.stringify(output));
  assert.deepEqual([call.name, call.arguments], [SHELL.name, COMMAND]);
  input.push(call, { type: "function_call_output", call_id: call.call_id, output: "relay-tool-ok" });
  const second = await client.responses.create({ model: MODEL, input, tools });
  assert.equal(second.output_text, "fake answer: the tool said: relay-tool-ok");
}

async function embeds(client: OpenAI): Promise<void> {
  const { data } = await client.embeddings.create({ model: "text-embedding-3-small", input: PROMPT });
  assert(data.length > 0 && data.every(({ embedding }) => embedding.length > 0), JSON.stringify(data));
}

async function listsModels(client: OpenAI): Promise<void> {
  const names: string[] = [];
  for await (const { id } of client.models.list()) names.push(id);
  assert(names.includes(MODEL), `no ${MODEL} in ${names.join(", ")}`);
}

async function failsWith(
  stage: Stage,
  name: string,
  behaviour: Behaviour,
  expected: new (...args: never[]) => InstanceType<typeof OpenAI.APIError>,
): Promise<InstanceType<typeof OpenAI.APIError>> {
  const scene = await openScene(stage, { name, provider: "openai-responses", accounts: 1 });
  await stage.upstream.next(`${name}-1`, behaviour);
  const failure = await failureOf(clientFor(stage, scene).chat.completions.create(CHAT));
  assert(failure instanceof expected && failure instanceof OpenAI.APIError, String(failure));
  await assertNothingHeld(stage, scene);
  return failure;
}

async function passesLimitOn(stage: Stage): Promise<void> {
  const limit = openAiError(429, { code: "rate_limit_exceeded" }, { "retry-after": String(RETRY_AFTER_S) });
  const failure = await failsWith(stage, "openai-limited", limit, OpenAI.RateLimitError);
  const retryAfterS = Number(failure.headers?.get("retry-after"));
  assert(
    retryAfterS >= RETRY_AFTER_S - 1 && retryAfterS <= RETRY_AFTER_S,
    `retry-after: ${String(retryAfterS)}`,
  );
}

async function passesRefusalOn(stage: Stage): Promise<void> {
  const refusal = openAiError(400, { code: "invalid_value", message: "too many for this test" });
  const failure = await failsWith(stage, "openai-refused", refusal, OpenAI.BadRequestError);
  assert.match(failure.message, /too many for this test/);
  assert.equal(failure.code, "invalid_value");
}

async function refusesWrongKey(stage: Stage): Promise<void> {
  const client = clientFor(stage, { key: `cr_${"0".repeat(64)}` });
  for (const call of [() => client.chat.completions.create(CHAT), () => client.responses.create(RESPONSE)]) {
    const failure = await failureOf(call());
    assert(failure instanceof OpenAI.AuthenticationError, String(failure));
    assert.equal(failure.status, 401);
  }
}

/** The SDK itself takes a stream that merely ends for a whole answer. */
async function throwsOnBreak(stage: Stage, mode: "reset" | "cleanEnd"): Promise<void> {
  const name = `openai-${mode}`;
  const scene = await openScene(stage, { name, provider: "openai-responses", accounts: 1 });
  const client = clientFor(stage, scene);
  const cut: Behaviour = { kind: "cut", afterEvents: EVENTS_INTO_TEXT, mode };
  await stage.upstream.next(`${name}-1`, cut, 2);
  for (const call of [() => streamChat(client, true), () => streamsResponse(client)]) {
    const failure = await failureOf(call());
    assert(failure instanceof OpenAI.OpenAIError, String(failure));
  }
  await assertNothingHeld(stage, scene);
}

async function bearsComments(stage: Stage): Promise<void> {
  const scene = await openScene(stage, { name: "openai-slow", provider: "openai-responses", accounts: 1 });
  const copies: Promise<string>[] = [];
  const client = clientFor(stage, scene, {
    fetch: async (...call) => {
      const response = await fetch(...call);
      copies.push(response.clone().text());
      return response;
    },
  });
  const slow = answer({ events: 2, eventIntervalMs: SILENCE_MS });
  await stage.upstream.next("openai-slow-1", slow, 2);
  await Promise.all([streamChat(client, true), streamsResponse(client)]);
  for (const text of await Promise.all(copies)) assert.match(text, /^: /m, "the relay sent no comment");
}

const failureChecks = (stage: Stage): readonly Check[] => [
  { name: "OpenAI's SDK throws AuthenticationError for a wrong key", run: () => refusesWrongKey(stage) },
  {
    name: "OpenAI's SDK throws RateLimitError with the upstream's retry-after",
    run: () => passesLimitOn(stage),
  },
  {
    name: "OpenAI's SDK throws BadRequestError with the upstream's own words",
    run: () => passesRefusalOn(stage),
  },
  {
    name: "OpenAI's SDK throws when a stream is cut",
    run: () => throwsOnBreak(stage, "reset"),
  },
  {
    name: "OpenAI's SDK throws when a stream ends too early",
    run: () => throwsOnBreak(stage, "cleanEnd"),
  },
  { name: "OpenAI's SDK bears the relay's comments in a slow answer", run: () => bearsComments(stage) },
];

async function planChecks(stage: Stage): Promise<readonly Check[]> {
  const scene = await openScene(stage, { name: "openai-sdk-plan", provider: "openai-oauth", accounts: 2 });
  const client = clientFor(stage, scene);
  const title = "OpenAI's SDK on a ChatGPT plan";
  return [
    { name: `${title} gets a response in one piece`, run: () => responds(client) },
    { name: `${title} streams a response`, run: () => streamsResponse(client) },
    { name: `${title} calls a tool in responses`, run: () => respondsWithTool(client) },
    ledgerCheck(stage, scene, title),
  ];
}

export async function openAiSdkChecks(stage: Stage): Promise<readonly Check[]> {
  const scene = await openScene(stage, { name: "openai-sdk", provider: "openai-responses", accounts: 2 });
  const client = clientFor(stage, scene);
  return [
    { name: "OpenAI's SDK gets a chat in one piece", run: () => chats(client) },
    {
      name: "OpenAI's SDK streams a chat, and its usage where it asks",
      async run() {
        assert.equal(await streamChat(client, true), INPUT_TOKENS);
      },
    },
    { name: "OpenAI's SDK calls a tool in a chat", run: () => chatsWithTool(client) },
    { name: "OpenAI's SDK gets a response in one piece", run: () => responds(client) },
    { name: "OpenAI's SDK streams a response", run: () => streamsResponse(client) },
    { name: "OpenAI's SDK calls a tool in responses", run: () => respondsWithTool(client) },
    { name: "OpenAI's SDK gets embeddings", run: () => embeds(client) },
    { name: "OpenAI's SDK lists the models", run: () => listsModels(client) },
    ledgerCheck(stage, scene, "OpenAI's SDK"),
    {
      name: "OpenAI's SDK streams a chat without usage where it does not ask, and it is booked",
      async run() {
        assert.equal(await streamChat(client, false), undefined);
        await ledgerCheck(stage, scene, "").run();
      },
    },
    ...(await planChecks(stage)),
    ...failureChecks(stage),
  ];
}
