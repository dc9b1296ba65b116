/** What real clients rely on, in whatever dialect they speak. */
import { describe, expect, it } from "vitest";
import { answer } from "../upstream/behaviour.ts";
import { idle, unique, upstream, usageOf } from "./setup/relay.ts";
import { SPEAKERS } from "./setup/speakers.ts";

/** Longer than a heartbeat of these tests, and shorter than the silence that ends a stream. */
const SILENCE_MS = 1200;
const silence = () => new Promise((resolve) => setTimeout(resolve, SILENCE_MS));

const COMMENT = /^: /m;

describe.each(SPEAKERS)("a client that speaks $name", (speaker) => {
  it("may hang up on the terminal event although the upstream has not: all of it is booked", async () => {
    const { subject, account, key } = await speaker.open();
    await upstream.set(subject, answer({ events: 5, endDelayMs: 3000 }));
    const response = await speaker.ask(key);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes(speaker.terminal)) {
      const piece = await reader?.read();
      if (piece?.done !== false) throw new Error(`the stream ended before its terminal event: ${text}`);
      text += piece.value;
    }
    await reader?.cancel();
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "completed", estimated: false });
    const { usage } = await upstream.statsOf(subject);
    expect(record?.tokens).toMatchObject({ input: usage.inputTokens, output: usage.outputTokens });
    await idle(account, key);
  });

  it(`gets ${speaker.bearsComments ? "a comment" : "no comment"} in a silence between two events`, async () => {
    const { subject, key } = await speaker.open();
    const gate = unique("gate");
    await upstream.set(subject, { kind: "gateInside", afterEvents: 4, gate });
    const response = await speaker.ask(key);
    const spoken = silence().then(() => upstream.release(gate));
    const text = await response.text();
    await spoken;
    expect(COMMENT.test(text)).toBe(speaker.bearsComments);
    expect(text).toContain(speaker.terminal);
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "completed", estimated: false });
  });

  it(`gets ${speaker.bearsComments ? "a comment" : "no comment"} in a silence before the first event`, async () => {
    const { subject, key } = await speaker.open();
    await upstream.set(subject, answer({ firstEventDelayMs: SILENCE_MS }));
    const text = await (await speaker.ask(key)).text();
    expect(COMMENT.test(text)).toBe(speaker.bearsComments);
    expect(text).toContain(speaker.terminal);
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "completed", estimated: false });
  });

  it.each([400, 413, 422])("sees the upstream's own %i and its words", async (status) => {
    const { subject, account, key } = await speaker.open();
    await upstream.set(subject, speaker.refusal(status, "That was too much for this test."));
    const response = await speaker.ask(key);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain("That was too much for this test.");
    expect((await upstream.statsOf(subject)).requests).toBe(1);
    await idle(account, key);
  });

  it("is told of an overload by the status that its dialect has for it", async () => {
    const { subject, key } = await speaker.open();
    await upstream.set(subject, speaker.overload.behaviour);
    expect((await speaker.ask(key)).status).toBe(speaker.overload.status);
  });

  it("is told how long to wait when a limit is reached", async () => {
    const { subject, key } = await speaker.open();
    await upstream.set(subject, speaker.limited(30));
    const response = await speaker.ask(key);
    expect(response.status).toBe(429);
    const retryAfterS = Number(response.headers.get("retry-after"));
    expect(retryAfterS).toBeGreaterThan(20);
    expect(retryAfterS).toBeLessThanOrEqual(30);
  });
});
