/** How Google's streams end, as events and as an array, where the contract's suite does not say. */
import { describe, expect, it } from "vitest";
import { ARRAY_PATH, createGeminiPair, generate, messagesOf, SSE_PATH } from "./setup/gemini.ts";
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
  it("that the upstream ends with an error is passed on, and booked as interrupted", async () => {
    const { account, key } = await createGeminiPair();
    const error = { errorType: "INTERNAL", message: "An internal error has occurred." };
    await upstream.set(account.secret, { kind: "errorEvent", afterEvents: 2, ...error });
    const messages = messagesOf(path, await (await generate(key, { path })).text());
    expect(messages).toHaveLength(3);
    expect(messages.at(-1)).toMatchObject({ error: { code: 500, status: "INTERNAL" } });
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "interrupted", error: "INTERNAL" });
  });
});
