import { describe, expect, it } from "vitest";
import { answer } from "../upstream/behaviour.ts";
import { call, createPair, idle, MODEL, stream, upstream, usageOf } from "./setup/relay.ts";

describe("POST /v1/messages", () => {
  it("returns the upstream's JSON answer and books its usage", async () => {
    const { account, key } = await createPair();
    const response = await call(key);
    expect(response.status).toBe(200);
    const body = await response.json<{ usage: { input_tokens: number; output_tokens: number } }>();
    const [record] = await usageOf(key);
    expect(record).toMatchObject({
      accountId: account.id,
      outcome: "completed",
      estimated: false,
      model: MODEL,
      tokens: { input: body.usage.input_tokens, output: body.usage.output_tokens },
    });
    expect(record?.cost).toBeGreaterThan(0);
    await idle(account, key);
  });

  it("passes a stream through byte for byte and books its usage", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, answer({ events: 20, chunkBytes: 7 }));
    const response = await stream(key);
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const text = await response.text();
    expect(text).toContain("event: message_stop");
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "completed", stream: true, estimated: false });
    const stats = await upstream.statsOf(account.secret);
    expect(record?.tokens.output).toBe(stats.usage.outputTokens);
    await idle(account, key);
  });
});
