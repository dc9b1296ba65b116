import { describe, expect, it } from "vitest";
import { NANO_PER_DOLLAR } from "../../worker/domain/money.ts";
import { createPair, idle, keyView, stream, upstream, usageOf, type TestKey } from "./setup/relay.ts";

/** Dollars: a few dozen events of an endless answer. */
const BUDGET = 0.01;
/** One event of the fake's endless answer, generously, in nano-dollars. */
const EVENT_COST_MAX = 0.0005 * NANO_PER_DOLLAR;

const spentOf = async (key: TestKey, limit: string): Promise<number> =>
  (await keyView(key)).status?.limits.find(({ id }) => id === limit)?.used ?? 0;

describe("a hard budget", () => {
  it("stops a running stream with an error event, stops the upstream, and books what was used", async () => {
    const { account, key } = await createPair({}, { totalCost: BUDGET, hardBudget: true });
    await upstream.set(account.secret, { kind: "endless", intervalMs: 2 });
    const text = await (await stream(key)).text();
    expect(text).toContain("event: message_start");
    const lastEvent = text.trimEnd().split("\n\n").at(-1) ?? "";
    expect(lastEvent).toMatch(/^event: error\n/);
    expect(lastEvent).toContain('"type":"billing_error"');
    expect(lastEvent).toContain('"code":"hard_budget"');
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "interrupted", error: "budget_exhausted", estimated: true });
    expect(record?.tokens.output).toBeGreaterThan(0);
    const spent = await spentOf(key, "total_cost");
    expect(spent).toBe(record?.cost);
    expect(spent).toBeGreaterThan(BUDGET * NANO_PER_DOLLAR * 0.5);
    expect(spent).toBeLessThan(BUDGET * NANO_PER_DOLLAR + EVENT_COST_MAX);
    await idle(account, key);
    expect((await upstream.log(account.secret))[0]?.clientAborted).toBe(true);
  });

  it("lets simultaneous streams spend no more together than one could alone", async () => {
    const { account, key } = await createPair({}, { dailyCost: BUDGET, hardBudget: true });
    await upstream.set(account.secret, { kind: "endless", intervalMs: 2 });
    const answers = await Promise.all(Array.from({ length: 8 }, () => stream(key)));
    const streams = answers.filter(({ status }) => status === 200);
    await Promise.all(answers.map((answer) => answer.text()));
    expect(streams.length).toBeGreaterThan(0);
    for (const { status } of answers) expect([200, 402, 429]).toContain(status);
    await usageOf(key, streams.length);
    expect(await spentOf(key, "daily_cost")).toBeLessThan(
      BUDGET * NANO_PER_DOLLAR + streams.length * EVENT_COST_MAX,
    );
    await idle(account, key);
    const limits = (await keyView(key)).status?.limits ?? [];
    expect(limits.map(({ reserved }) => reserved)).toEqual([0]);
  });

  it("passes an answer that stays within it on unchanged", async () => {
    const { account, key } = await createPair({}, { totalCost: 5, hardBudget: true });
    const text = await (await stream(key)).text();
    expect(text).toContain("event: message_stop");
    expect(text).not.toContain("event: error");
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "completed", estimated: false });
    await idle(account, key);
  });

  it("refuses at once when nothing is left", async () => {
    const { account, key } = await createPair({}, { totalCost: BUDGET, hardBudget: true });
    await upstream.set(account.secret, { kind: "endless", intervalMs: 2 });
    await (await stream(key)).text();
    await idle(account, key);
    const refused = await stream(key);
    expect(refused.status).toBe(402);
    expect(await refused.json()).toMatchObject({ error: { type: "billing_error", code: "total_cost" } });
  });
});
