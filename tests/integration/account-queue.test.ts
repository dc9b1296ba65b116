/** An account's queue: who may wait for a slot or for a turn, how long, and in which order. */
import { describe, expect, it } from "vitest";
import { answer } from "../upstream/behaviour.ts";
import {
  accountView,
  call,
  createPair,
  eventually,
  idle,
  patientRelay,
  unique,
  upstream,
  usageOf,
  type CallOptions,
  type TestAccount,
  type TestKey,
} from "./setup/relay.ts";
import { storyOf } from "./setup/story.ts";

const patiently = (key: TestKey, options: CallOptions = {}) => call(key, { relay: patientRelay, ...options });

const saying = (text: string) => ({ body: { messages: [{ role: "user", content: text }] } });

const waiting = (account: TestAccount, count: number) =>
  eventually(
    () => accountView(account),
    ({ status }) => status?.waiting === count,
  );

/** An account whose every answer waits for the gate, with one request on its way. */
async function busy(overrides: Record<string, unknown>) {
  const { account, key } = await createPair({ maxConcurrency: 1, ...overrides });
  const gate = unique("gate");
  await upstream.set(account.secret, { kind: "gate", gate, then: answer() });
  await upstream.recordBodies(account.secret);
  const running = patiently(key, saying("running"));
  await upstream.until(account.secret, ({ open }) => open === 1);
  return { account, key, gate, running };
}

/** What the upstream was asked, in its order. */
const promptsOf = async ({ secret }: TestAccount): Promise<string[]> =>
  (await upstream.log(secret)).map(({ body }) => {
    const { messages } = body as { messages: { content: unknown }[] };
    return String(messages.at(-1)?.content);
  });

const statusesOf = async (responses: readonly Promise<Response>[]): Promise<number[]> =>
  (await Promise.all(responses)).map(({ status }) => status);

describe("an account's queue", () => {
  it("serves those who wait in the order they came", async () => {
    const { account, key, gate, running } = await busy({});
    const responses = [running];
    for (let place = 1; place <= 4; place++) {
      responses.push(patiently(key, saying(`place ${String(place)}`)));
      await waiting(account, place);
    }
    await upstream.release(gate);
    expect(await statusesOf(responses)).toEqual([200, 200, 200, 200, 200]);
    expect(await promptsOf(account)).toEqual(["running", "place 1", "place 2", "place 3", "place 4"]);
    expect((await upstream.statsOf(account.secret)).openMax).toBe(1);
    await idle(account, key);
  });

  it.each([
    ["its length", { queueLength: 2 }, 2],
    ["a multiple of its slots, where that is more", { queueLength: 1, queueMultiple: 3 }, 3],
    ["its length, where the multiple is less", { queueLength: 2, queueMultiple: 0.5 }, 2],
  ])("holds as many as %s says, and refuses the next one at once", async (_, overrides, length) => {
    const { account, key, gate, running } = await busy(overrides);
    const responses = [running];
    for (let place = 1; place <= length; place++) {
      responses.push(patiently(key));
      await waiting(account, place);
    }
    const refused = await patiently(key);
    expect(refused.status).toBe(529);
    expect(refused.headers.get("retry-after")).not.toBeNull();
    expect((await accountView(account)).status?.waiting).toBe(length);
    await upstream.release(gate);
    expect(new Set(await statusesOf(responses))).toEqual(new Set([200]));
  });

  it("that is off lets nobody wait", async () => {
    const { key, gate, running } = await busy({ queueLength: 0 });
    expect((await patiently(key)).status).toBe(529);
    await upstream.release(gate);
    expect((await running).status).toBe(200);
  });

  it("sends a request away when its time in this queue is over, although it would wait longer elsewhere", async () => {
    const { account, key, gate, running } = await busy({ queueTimeoutMs: 1000 });
    const refused = await patiently(key);
    expect(refused.status).toBe(529);
    expect((await accountView(account)).status?.waiting).toBe(0);
    const { steps } = await storyOf(key, refused);
    expect(steps).toMatchObject([{ reason: "full" }, { reason: "full" }]);
    await upstream.release(gate);
    expect((await running).status).toBe(200);
  });

  it("gives the place of a client that leaves to the next, and sends nothing for it", async () => {
    const { account, key, gate, running } = await busy({ queueLength: 1 });
    const controller = new AbortController();
    const leaving = patiently(key, { ...saying("leaving"), signal: controller.signal }).catch(() => null);
    await waiting(account, 1);
    controller.abort();
    await leaving;
    await waiting(account, 0);
    const next = patiently(key, saying("next"));
    await waiting(account, 1);
    await upstream.release(gate);
    expect(await statusesOf([running, next])).toEqual([200, 200]);
    expect(await promptsOf(account)).toEqual(["running", "next"]);
    await idle(account, key);
    const outcomes = (await usageOf(key, 3)).map(({ outcome }) => outcome);
    expect(outcomes.sort()).toEqual(["client_gone", "completed", "completed"]);
  });
});

/** Messages of a conversation whose last one is a tool's answer. */
const TOOL_ANSWER = {
  body: {
    messages: [
      { role: "user", content: "Hi" },
      { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "run", input: {} }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "done" }] },
    ],
  },
};

const TURNS = { maxConcurrency: 0, userTurns: { delayMs: 0, timeoutMs: 60_000 } };

describe("people's messages to one account", () => {
  it("go one after the other, each once the upstream has begun to answer the last", async () => {
    const { account, key, gate, running } = await busy(TURNS);
    const responses = [running];
    for (let place = 1; place <= 3; place++) {
      responses.push(patiently(key, saying(`place ${String(place)}`)));
      await waiting(account, place);
    }
    expect((await upstream.statsOf(account.secret)).open).toBe(1);
    await upstream.release(gate);
    expect(await statusesOf(responses)).toEqual([200, 200, 200, 200]);
    expect(await promptsOf(account)).toEqual(["running", "place 1", "place 2", "place 3"]);
    await idle(account, key);
  });

  it("do not wait for the end of an answer, only for its beginning", async () => {
    const { account, key } = await createPair(TURNS);
    await upstream.set(account.secret, { kind: "hang", phase: "midStream" });
    const responses = [
      patiently(key, { body: { stream: true } }),
      patiently(key, { body: { stream: true } }),
    ];
    expect(await statusesOf(responses)).toEqual([200, 200]);
    expect((await upstream.statsOf(account.secret)).open).toBe(2);
    for (const response of responses) await (await response).body?.cancel();
    await idle(account, key);
  });

  it("do not hold up what tools answer, nor the counting of tokens", async () => {
    const { account, key, gate, running } = await busy(TURNS);
    const held = patiently(key, saying("held"));
    await waiting(account, 1);
    const tool = patiently(key, TOOL_ANSWER);
    await upstream.until(account.secret, ({ open }) => open === 2);
    const count = await patiently(key, { path: "/v1/messages/count_tokens" });
    expect(count.status).toBe(200);
    expect((await accountView(account)).status?.waiting).toBe(1);
    await upstream.release(gate);
    expect(await statusesOf([running, tool, held])).toEqual([200, 200, 200]);
  });

  it("keep the pause between them that the account asks for", async () => {
    const { account, key } = await createPair({
      ...TURNS,
      userTurns: { delayMs: 500, timeoutMs: 60_000 },
    });
    expect(await statusesOf([patiently(key), patiently(key), patiently(key)])).toEqual([200, 200, 200]);
    const [first = 0, ...rest] = (await upstream.log(account.secret)).map(({ receivedAtMs }) => receivedAtMs);
    const last = rest.at(-1) ?? 0;
    // A timer may be a little early by the clock of another process.
    expect(last - first).toBeGreaterThanOrEqual(950);
  });

  it("pass one that was never answered once its time is over", async () => {
    const { account, key, gate, running } = await busy({
      ...TURNS,
      userTurns: { delayMs: 0, timeoutMs: 1000 },
    });
    const next = patiently(key, saying("next"));
    await upstream.until(account.secret, ({ open }) => open === 2);
    await upstream.release(gate);
    expect(await statusesOf([running, next])).toEqual([200, 200]);
  });

  it("let the next one go when one has failed or its client has left", async () => {
    const { account, key } = await createPair(TURNS);
    const gate = unique("gate");
    await upstream.next(account.secret, { kind: "gate", gate, then: answer() });
    const controller = new AbortController();
    const leaving = patiently(key, { signal: controller.signal }).catch(() => null);
    await upstream.until(account.secret, ({ open }) => open === 1);
    const next = patiently(key);
    await waiting(account, 1);
    await upstream.next(account.secret, { kind: "status", status: 400, body: { type: "error" } });
    controller.abort();
    await leaving;
    expect((await next).status).toBe(400);
    expect((await patiently(key)).status).toBe(200);
    await idle(account, key);
  });

  it("are told apart only where the account asks for it", async () => {
    const { account, key } = await createPair();
    const gate = unique("gate");
    await upstream.set(account.secret, { kind: "gate", gate, then: answer() });
    const responses = [patiently(key), patiently(key)];
    await upstream.until(account.secret, ({ open }) => open === 2);
    await upstream.release(gate);
    expect(await statusesOf(responses)).toEqual([200, 200]);
  });
});
