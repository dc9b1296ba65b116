/** What is booked, to the token: conformance item 15, and what an upstream may get wrong. */
import { describe, expect, it } from "vitest";
import { priceOf } from "../../worker/pricing/price.ts";
import { PRICE_TABLE } from "../../worker/pricing/table.ts";
import { answer, type Behaviour } from "../upstream/behaviour.ts";
import { admin, call, createPair, MODEL, stream, upstream, usageOf } from "./setup/relay.ts";

const FULL = {
  input_tokens: 1000,
  output_tokens: 200,
  cache_creation_input_tokens: 700,
  cache_creation: { ephemeral_5m_input_tokens: 300, ephemeral_1h_input_tokens: 400 },
  cache_read_input_tokens: 5000,
  server_tool_use: { web_search_requests: 3 },
  service_tier: "standard",
};
const TOKENS = {
  input: 1000,
  output: 200,
  cacheWrite5m: 300,
  cacheWrite1h: 400,
  cacheRead: 5000,
  webSearches: 3,
};

async function bookedOf(behaviour: Behaviour, streamed: boolean) {
  const { account, key } = await createPair();
  await upstream.set(account.secret, behaviour);
  await (await call(key, { body: { stream: streamed } })).text();
  const [record] = await usageOf(key);
  if (record === undefined) throw new Error("nothing was booked");
  return record;
}

describe.each([false, true])("15: usage (stream: %s)", (streamed) => {
  it("has every field that Anthropic reports, and its cost with the price list's version", async () => {
    const record = await bookedOf(answer({ usage: FULL }), streamed);
    expect(record.tokens).toEqual(TOKENS);
    const expected = priceOf(
      { tokens: TOKENS, model: MODEL, serviceTier: "standard", speed: null },
      record.startedAt,
      PRICE_TABLE,
    );
    // By hand: 1000 x 3000 + 200 x 15000 + 300 x 3750 + 400 x 6000 + 5000 x 300 nano-dollars, and 3 searches at a cent.
    expect(expected.cost).toBe(3_000_000 + 3_000_000 + 1_125_000 + 2_400_000 + 1_500_000 + 30_000_000);
    expect(record).toMatchObject({ ...expected, serviceTier: "standard", estimated: false });
  });

  it("counts cache writes without a split as five-minute ones, and a short split's rest too", async () => {
    const usage = {
      ...FULL,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 400 },
    };
    expect((await bookedOf(answer({ usage }), streamed)).tokens).toMatchObject({
      cacheWrite5m: 300,
      cacheWrite1h: 400,
    });
  });

  it("is booked under the model that answered, beside the one asked for", async () => {
    const record = await bookedOf(answer({ model: "claude-opus-4-5-20251101" }), streamed);
    expect(record).toMatchObject({ model: "claude-opus-4-5-20251101", requestedModel: MODEL });
  });

  it("of a model without a price is booked and marked", async () => {
    const record = await bookedOf(answer({ model: "mystery-model" }), streamed);
    expect(record).toMatchObject({ cost: 0, priceVersion: null });
    expect(record.tokens.output).toBeGreaterThan(0);
  });

  it("that the upstream does not report is booked as none, and marked as estimated", async () => {
    const record = await bookedOf(answer({ omitUsage: true }), streamed);
    expect(record).toMatchObject({ outcome: "completed", estimated: true });
  });

  it("that cannot be is clamped and marked", async () => {
    const record = await bookedOf({ kind: "malformed", what: "brokenUsage" }, streamed);
    expect(record.estimated).toBe(true);
    for (const count of Object.values(record.tokens)) {
      expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
    }
  });
});

describe("15: usage of a stream", () => {
  it("is taken from message_delta where only that reports it", async () => {
    expect((await bookedOf(answer({ usage: FULL, usageInDeltaOnly: true }), true)).tokens).toEqual(TOKENS);
  });

  it("that was cut has message_start's input and an estimate of the output", async () => {
    const record = await bookedOf(
      {
        kind: "cut",
        afterEvents: 12,
        mode: "reset",
        answer: { usage: FULL, events: 40, text: "word ".repeat(400) },
      },
      true,
    );
    expect(record).toMatchObject({ outcome: "interrupted", estimated: true });
    expect(record.tokens).toMatchObject({ input: 1000, cacheRead: 5000, cacheWrite1h: 400 });
    expect(record.tokens.output).toBeGreaterThan(0);
  });
});

describe("rollups", () => {
  it("are the sums of the records", async () => {
    const before = await (await admin("GET", "/overview")).json<Overview>();
    const { account, key } = await createPair();
    await upstream.set(account.secret, answer({ usage: FULL }));
    await call(key);
    await (await stream(key)).text();
    await upstream.set(account.secret, { kind: "reset" });
    await call(key);
    await usageOf(key, 3);
    const after = await (await admin("GET", "/overview")).json<Overview>();
    expect(after.today.requests - before.today.requests).toBe(3);
    expect(after.today.failed - before.today.failed).toBe(1);
    expect(after.today.tokens - before.today.tokens).toBe(2 * (1000 + 200 + 700 + 5000));
    expect(after.hours).toHaveLength(24);
    expect(sum(after.hours.map(({ requests }) => requests))).toBe(after.today.requests);
  });

  interface Sums {
    requests: number;
    tokens: number;
    failed: number;
  }
  interface Overview {
    today: Sums;
    hours: Sums[];
  }
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
});
