/** How Google's streams end, as events and as an array: conformance items 14 and 25. */
import { describe, expect, it } from "vitest";
import { answer, type Behaviour } from "../upstream/behaviour.ts";
import { ARRAY_PATH, createGeminiPair, generate, messagesOf, SSE_PATH, tokensOf } from "./setup/gemini.ts";
import { idle, upstream, usageOf } from "./setup/relay.ts";

const STREAMS = [SSE_PATH, ARRAY_PATH];

describe("a hard budget", () => {
  it.each(STREAMS)("ends a stream in its own form (%s)", async (path) => {
    const { account, key } = await createGeminiPair({}, { totalCost: 0.01, hardBudget: true });
    await upstream.set(account.secret, { kind: "endless", intervalMs: 2 });
    const messages = messagesOf(path, await (await generate(key, { path })).text());
    expect(messages.at(-1)).toMatchObject({ error: { code: 402, status: "FAILED_PRECONDITION" } });
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "interrupted", error: "budget_exhausted" });
    await idle(account, key);
  });
});

describe.each(STREAMS)("the end of a stream (%s)", (path) => {
  it.each<[string, Behaviour]>([
    ["broken off", { kind: "cut", afterEvents: 3, mode: "reset" }],
    ["broken off in the middle of a message", { kind: "cut", afterEvents: 3, mode: "reset", midEvent: true }],
    ["ended too early", { kind: "cut", afterEvents: 3, mode: "cleanEnd" }],
    [
      "ended too early in the middle of a message",
      { kind: "cut", afterEvents: 3, mode: "cleanEnd", midEvent: true },
    ],
    ["silent for too long", { kind: "hang", phase: "midStream", afterEvents: 3 }],
  ])("that was %s becomes an error of its own form", async (_, behaviour) => {
    const { account, key } = await createGeminiPair();
    await upstream.set(account.secret, behaviour);
    const response = await generate(key, { path });
    const messages = messagesOf(path, await response.text());
    expect(messages.length).toBeGreaterThan(3);
    expect(messages.at(-1)).toMatchObject({ error: { message: expect.any(String) as string } });
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "interrupted", estimated: true });
    expect(tokensOf(record).input).toBeGreaterThan(0);
    await idle(account, key);
  });

  it("that the upstream ends with an error is passed on, and booked as interrupted", async () => {
    const { account, key } = await createGeminiPair();
    const error = { errorType: "INTERNAL", message: "An internal error has occurred." };
    await upstream.set(account.secret, { kind: "errorEvent", afterEvents: 2, ...error });
    const messages = messagesOf(path, await (await generate(key, { path })).text());
    expect(messages).toHaveLength(3);
    expect(messages.at(-1)).toMatchObject({ error: { code: 500, status: "INTERNAL" } });
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "interrupted", error: "INTERNAL" });
  });

  it("that only the client wanted is booked, the upstream is stopped, the slot is free", async () => {
    const { account, key } = await createGeminiPair({ maxConcurrency: 1 });
    await upstream.set(account.secret, { kind: "endless", intervalMs: 5 });
    const response = await generate(key, { path });
    const reader = response.body?.getReader();
    for (let piece = 0; piece < 5; piece++) await reader?.read();
    await reader?.cancel();
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "client_gone", estimated: true });
    expect(tokensOf(record).output).toBeGreaterThan(0);
    await idle(account, key);
    await upstream.until(account.secret, ({ open, clientAborts }) => open === 0 && clientAborts === 1);
  });

  it("25: and a silence before it bring no heartbeat: none into Gemini streams", async () => {
    const { account, key } = await createGeminiPair();
    await upstream.set(account.secret, answer({ events: 1, eventIntervalMs: 2200, text: "slow" }));
    const relayed = new Uint8Array(await (await generate(key, { path })).arrayBuffer());
    expect(new TextDecoder().decode(relayed)).not.toContain("keep-alive");
    expect(messagesOf(path, new TextDecoder().decode(relayed))).toHaveLength(2);
  });
});
