/** What objects are not asked for, and that nothing is lost or late for it. */
import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WARRANT_MS } from "../../worker/domain/warrant.ts";
import { answer, overloaded } from "../upstream/behaviour.ts";
import {
  accountStub,
  accountView,
  admin,
  call,
  createPair,
  createPool,
  eventually,
  idle,
  keyStub,
  keyView,
  stream,
  unique,
  upstream,
  usageOf,
  type TestAccount,
  type TestKey,
} from "./setup/relay.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Counts what the objects are asked from now on. */
async function counted({ key, account }: { key: TestKey; account: TestAccount }) {
  // What is called from outside is found on the class.
  const classOf = <Stub extends object>(object: Stub): Stub => Object.getPrototypeOf(object) as Stub;
  const admits = await runInDurableObject(keyStub(key), (object) => vi.spyOn(classOf(object), "admit"));
  const leases = await runInDurableObject(accountStub(account), (object) =>
    vi.spyOn(classOf(object), "lease"),
  );
  return () => ({ admits: admits.mock.calls.length, leases: leases.mock.calls.length });
}

const inFuture = (ms: number) => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Date.now() + ms);
};

describe("an unlimited key at an unlimited account", () => {
  it("is asked for once, and for every other model and program", async () => {
    const pair = await createPair();
    const asked = await counted(pair);
    for (let turn = 0; turn < 5; turn++) expect((await call(pair.key)).status).toBe(200);
    expect(asked()).toEqual({ admits: 1, leases: 1 });
    await call(pair.key, { body: { model: "claude-opus-4-5-20251101" } });
    await call(pair.key, { headers: { "user-agent": "another/1.0" } });
    expect(asked()).toEqual({ admits: 3, leases: 1 });
    expect(await usageOf(pair.key, 7)).toHaveLength(7);
    expect((await keyView(pair.key)).status).toMatchObject({ totalRequests: 7, activePermits: 0 });
  });

  it("is asked for again when nobody used it for a while", async () => {
    const pair = await createPair();
    await call(pair.key);
    await idle(pair.account, pair.key);
    const asked = await counted(pair);
    inFuture(2 * WARRANT_MS);
    await call(pair.key);
    expect(asked()).toEqual({ admits: 1, leases: 1 });
  });

  it("knows within milliseconds of what was let in without it", async () => {
    const { key, account } = await createPair();
    await call(key);
    const gate = unique("gate");
    await upstream.set(account.secret, { kind: "gate", gate, then: answer() });
    const running = [stream(key), stream(key), stream(key)];
    await upstream.until(account.secret, ({ open }) => open === 3);
    await eventually(
      async () => ({ key: (await keyView(key)).status, account: (await accountView(account)).status }),
      (status) => status.key?.activePermits === 3 && status.account?.activeLeases === 3,
    );
    await upstream.release(gate);
    for (const response of await Promise.all(running)) await response.text();
    await idle(account, key);
    expect(await usageOf(key, 4)).toHaveLength(4);
  });

  it("has what it let in booked as lost, once, where nothing more is heard of it", async () => {
    const { key, account } = await createPair();
    await call(key);
    await idle(account, key);
    const requestId = `req_${"7".repeat(26)}`;
    const admission = {
      requestId,
      startedAt: Date.now(),
      protocol: "anthropic",
      service: "claude",
      fingerprint: "",
      caller: { client: null, userAgent: "" },
      model: "claude-sonnet-4-5",
      stream: true,
      metered: true,
      estimate: { tokens: 0, cost: 0 },
    };
    const news = { settlements: [], checkpoints: [], cancellations: [], withdrawals: [] };
    const tell = () =>
      (keyStub(key) as unknown as { news(news: object): Promise<unknown> }).news({
        ...news,
        admissions: [admission],
      });
    await tell();
    await tell();
    expect((await keyView(key)).status?.activePermits).toBe(1);
    inFuture(100_000);
    await keyView(key);
    vi.useRealTimers();
    const lost = (await usageOf(key, 2)).filter((record) => record.requestId === requestId);
    expect(lost).toMatchObject([{ outcome: "lost", estimated: true }]);
    // Told late, it is not begun anew.
    await tell();
    expect((await keyView(key)).status?.activePermits).toBe(0);
  });
});

describe("what there is something to count for", () => {
  it.each([
    ["concurrency", { concurrency: 5 }],
    ["a budget", { dailyCost: 100 }],
    ["a request window", { windowMinutes: 1, windowRequests: 100 }],
  ])("asks the key's object each time: %s", async (_what, overrides) => {
    const pair = await createPair({}, overrides);
    const asked = await counted(pair);
    for (let turn = 0; turn < 3; turn++) expect((await call(pair.key)).status).toBe(200);
    expect(asked()).toEqual({ admits: 3, leases: 1 });
  });

  it("asks the key's object each time: its end, once it is near", async () => {
    const expiresAt = Date.now() + 3_600_000;
    const pair = await createPair({}, { expiresAt });
    const asked = await counted(pair);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(expiresAt - WARRANT_MS / 2);
    for (let turn = 0; turn < 3; turn++) expect((await call(pair.key)).status).toBe(200);
    expect(asked().admits).toBe(3);
    vi.setSystemTime(expiresAt);
    expect((await call(pair.key)).status).toBe(401);
  });

  it.each([
    ["slots", { maxConcurrency: 5 }],
    ["turns of people", { userTurns: { delayMs: 0, timeoutMs: 1000 } }],
  ])("asks the account's object each time: %s", async (_what, overrides) => {
    const pair = await createPair(overrides);
    const asked = await counted(pair);
    for (let turn = 0; turn < 3; turn++) expect((await call(pair.key)).status).toBe(200);
    expect(asked()).toEqual({ admits: 1, leases: 3 });
  });
});

describe("a change", () => {
  it("is answered when no isolate goes by what was before it, and waits no longer than that", async () => {
    const { key } = await createPair();
    await call(key);
    await idle({ id: (await usageOf(key))[0]?.accountId ?? "" }, key);
    const before = performance.now();
    await admin("PATCH", `/keys/${key.id}`, { enabled: false });
    expect(performance.now() - before).toBeLessThan(WARRANT_MS + 1000);
    expect((await call(key)).status).toBe(401);
  });

  it("of an account holds for the next request: it is switched off, its credential is another", async () => {
    const { key, account } = await createPair();
    await call(key);
    const apiKey = unique("sk-ant-test");
    await admin("PATCH", `/accounts/${account.id}`, { credential: { apiKey } });
    expect((await call(key)).status).toBe(200);
    expect((await upstream.statsOf(apiKey)).requests).toBe(1);
    await admin("PATCH", `/accounts/${account.id}`, { enabled: false });
    expect((await call(key)).status).toBe(529);
    await admin("PATCH", `/accounts/${account.id}`, { enabled: true });
    await call(key);
    expect((await admin("DELETE", `/accounts/${account.id}`)).status).toBe(204);
    expect((await call(key)).status).toBe(529);
    expect((await upstream.statsOf(apiKey)).requests).toBe(2);
  });

  it("of a limit counts from the next request on", async () => {
    const { key, account } = await createPair();
    await call(key);
    await admin("PATCH", `/keys/${key.id}`, { concurrency: 1 });
    const gate = unique("gate");
    await upstream.set(account.secret, { kind: "gate", gate, then: answer() });
    const running = call(key);
    await upstream.until(account.secret, ({ open }) => open === 1);
    expect((await call(key)).status).toBe(429);
    await upstream.release(gate);
    expect((await running).status).toBe(200);
  });
});

describe("an account that fails", () => {
  it("is not used again under its warrant", async () => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }]);
    const [first, second] = accounts;
    if (first === undefined || second === undefined) throw new Error("no accounts");
    await call(key);
    await upstream.set(first.secret, overloaded());
    for (let turn = 0; turn < 3; turn++) expect((await call(key)).status).toBe(200);
    expect((await upstream.statsOf(first.secret)).requests).toBe(2);
    expect((await upstream.statsOf(second.secret)).requests).toBe(3);
  });
});
