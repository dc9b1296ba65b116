/** Exactly once, whatever fails: D1, the objects, the messages between them. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { KeyNews } from "../../durable-objects/key/contract.ts";
import { settlementOf } from "../../worker/domain/permit.ts";
import { bookUsage } from "../../worker/storage/usage-records.ts";
import type { UsageRecord } from "../../worker/domain/usage.ts";
import { answer } from "../upstream/behaviour.ts";
import {
  accountStub,
  admin,
  call,
  createPair,
  env,
  eventually,
  idle,
  keyStub,
  keyView,
  stream,
  upstream,
  usageOf,
  type TestKey,
} from "./setup/relay.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const tell = (key: { id: string }, news: Partial<KeyNews>) =>
  (keyStub(key) as unknown as { news(news: KeyNews): Promise<void> }).news({
    admissions: [],
    settlements: [],
    checkpoints: [],
    cancellations: [],
    withdrawals: [],
    ...news,
  });

async function totals(key: TestKey) {
  const { items, total } = await (
    await admin("GET", `/usage?keyId=${key.id}&limit=200`)
  ).json<{ items: UsageRecord[]; total: number }>();
  const rollups = await env.DB.prepare(
    "SELECT sum(requests) AS requests, sum(cost) AS cost FROM usage_hour WHERE key_id = ?",
  )
    .bind(key.id)
    .first<{ requests: number; cost: number }>();
  const days = await env.DB.prepare("SELECT sum(requests) AS requests FROM usage_day WHERE key_id = ?")
    .bind(key.id)
    .first<{ requests: number }>();
  return { total, cost: items.reduce((sum, { cost }) => sum + cost, 0), rollups, days: days?.requests };
}

describe("a settlement", () => {
  it("told twice, or again after the object restarted, is booked once", async () => {
    const { key } = await createPair();
    await call(key);
    const [record] = await usageOf(key);
    if (record === undefined) throw new Error("nothing was booked");
    const { keyName: _, accountName: __, ...rest } = record;
    const booked = { ...rest, routing: null };
    const settlement = settlementOf(booked, "claude");
    await tell(key, { settlements: [settlement, settlement] });
    await evictDurableObject(keyStub(key));
    await tell(key, { settlements: [settlement] });
    await (keyStub(key) as unknown as { ship(): Promise<void> }).ship();
    const after = await totals(key);
    expect(after).toMatchObject({ total: 1, rollups: { requests: 1, cost: record.cost }, days: 1 });
    expect((await keyView(key)).status?.totalRequests).toBe(1);
  });

  it("without a permit is booked all the same: the object may have lost its memory", async () => {
    const { key } = await createPair();
    await call(key);
    const [record] = await usageOf(key);
    if (record === undefined) throw new Error("nothing was booked");
    const { keyName: _, accountName: __, ...rest } = record;
    const booked = { ...rest, routing: null };
    await tell(key, {
      settlements: [
        settlementOf({ ...booked, requestId: `req_${"9".repeat(26)}` as UsageRecord["requestId"] }, "claude"),
      ],
    });
    expect(await usageOf(key, 2)).toHaveLength(2);
  });
});

describe("a batch", () => {
  it("that D1 took although nobody heard so is sent again and changes nothing", async () => {
    const { key } = await createPair();
    for (let turn = 0; turn < 3; turn++) await call(key);
    const items = await usageOf(key, 3);
    const before = await totals(key);
    const records = items.map(({ keyName: _, accountName: __, ...record }) => ({ ...record, routing: null }));
    await bookUsage(env.DB, { sender: "another-sender", through: 1, records, timeZone: "UTC" });
    await bookUsage(env.DB, { sender: "another-sender", through: 1, records, timeZone: "UTC" });
    expect(await totals(key)).toEqual(before);
  });

  it("waits in the object while D1 fails, and arrives when it is back", async () => {
    const { key } = await createPair();
    await runInDurableObject(keyStub(key), (object) => {
      const db = (object as unknown as { env: { DB: D1Database } }).env.DB;
      vi.spyOn(db, "batch")
        .mockRejectedValueOnce(new Error("D1 is down"))
        .mockRejectedValueOnce(new Error("D1 is down"));
    });
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    for (let turn = 0; turn < 3; turn++) expect((await call(key)).status).toBe(200);
    expect(await usageOf(key, 3)).toHaveLength(3);
    expect(await totals(key)).toMatchObject({ total: 3, rollups: { requests: 3 } });
  });

  it("arrives by itself within five seconds", async () => {
    const { key } = await createPair();
    await call(key);
    const endedAt = Date.now();
    await eventually(
      () => totals(key),
      ({ total }) => total === 1,
    );
    expect(Date.now() - endedAt).toBeLessThan(5000);
  });
});

describe("a worker that died", () => {
  it("leaves its request to be booked from the last checkpoint, and its slots free, when their time is over", async () => {
    const { account, key } = await createPair({ maxConcurrency: 1 }, { concurrency: 1 });
    await upstream.set(account.secret, { kind: "endless", intervalMs: 20 });
    const response = await stream(key);
    const reader = response.body?.getReader();
    await reader?.read();
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"] });
    // The worker renews and leaves a checkpoint at its next look; then nothing more is heard of it.
    vi.setSystemTime(start + 31_000);
    await eventually(
      () => draftOf(key),
      (tokens) => tokens > 0,
    );
    await evictLikeACrash(key, account);
    vi.setSystemTime(start + 31_000 + 91_000);
    const other = await call(key);
    expect(other.status).toBe(200);
    const records = await usageOf(key, 2);
    const lost = records.find(({ outcome }) => outcome === "lost");
    expect(lost).toMatchObject({ estimated: true, accountId: account.id, error: "worker_lost" });
    expect(lost?.tokens.input).toBeGreaterThan(0);
    await reader?.cancel();
  });

  /** Input tokens of the request's checkpoint, as stored. */
  const draftOf = (key: TestKey) =>
    runInDurableObject(keyStub(key), (_, state) => {
      const [row] = state.storage.sql.exec<{ permit: string }>("SELECT permit FROM held_permit");
      return row === undefined ? 0 : (JSON.parse(row.permit) as { draft: UsageRecord }).draft.tokens.input;
    });

  /** The objects lose their memory and read what they had written. */
  async function evictLikeACrash(key: TestKey, account: { id: string; secret: string }) {
    await upstream.set(account.secret, answer());
    await evictDurableObject(keyStub(key));
    await evictDurableObject(accountStub(account));
  }
});

describe("objects that restart", () => {
  it("in the middle of a stream lose neither its permit nor its lease nor its usage", async () => {
    const { account, key } = await createPair({ maxConcurrency: 1 }, { concurrency: 1 });
    const gate = crypto.randomUUID();
    await upstream.next(account.secret, { kind: "gate", gate, then: answer({ events: 4 }) });
    const running = stream(key);
    await upstream.until(account.secret, ({ open }) => open === 1);
    await eventually(
      () => keyView(key),
      ({ status }) => status?.activePermits === 1,
    );
    await new Promise((resolve) => setTimeout(resolve, 60));
    await evictDurableObject(keyStub(key));
    await evictDurableObject(accountStub(account));
    expect((await call(key)).status).toBe(429);
    await upstream.release(gate);
    await (await running).text();
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "completed", estimated: false });
    await idle(account, key);
  });
});
