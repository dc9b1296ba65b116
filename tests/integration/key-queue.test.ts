/** A key's slots and the queue before them, under load and in every way in which it ends: conformance item 6. */
import { describe, expect, it } from "vitest";
import { answer } from "../upstream/behaviour.ts";
import {
  admin,
  call,
  createPair,
  eventually,
  stream,
  upstream,
  usageOf,
  type TestAccount,
  type TestKey,
} from "./setup/relay.ts";
import { refusalOf, settledStatus, statusOf } from "./setup/limits.ts";

const refused = (code: string, retryAfter: number) => ({
  status: 429,
  type: "rate_limit_error",
  code,
  retryAfter,
});

const waitingIs = (key: TestKey, count: number) =>
  eventually(
    () => statusOf(key),
    ({ waiting }) => waiting === count,
  );

/** Requests that wait, each having come after the one before it was seen to wait. */
async function fill(key: TestKey, count: number): Promise<Promise<Response>[]> {
  const before = (await statusOf(key)).waiting;
  const waiting: Promise<Response>[] = [];
  for (let place = 1; place <= count; place++) {
    waiting.push(call(key));
    await waitingIs(key, before + place);
  }
  return waiting;
}

/** Takes a slot with a stream that runs until it is left. */
async function occupy(account: TestAccount, key: TestKey): Promise<{ leave: () => Promise<void> }> {
  await upstream.next(account.secret, { kind: "endless", intervalMs: 10 });
  const controller = new AbortController();
  const response = await stream(key, { signal: controller.signal });
  return {
    leave: async () => {
      await response.body?.cancel();
      controller.abort();
    },
  };
}

const statuses = async (responses: readonly Promise<Response>[]) =>
  (await Promise.all(responses)).map(({ status }) => status);

describe("a key's slots under ten times their number", () => {
  const SLOTS = 5;
  const many = (key: TestKey) => Promise.all(Array.from({ length: 10 * SLOTS }, () => call(key)));

  it("are never exceeded, and everyone is served who may wait long enough", async () => {
    const { account, key } = await createPair(
      {},
      { concurrency: SLOTS, queueMultiple: 9, queueTimeoutMs: 60_000 },
    );
    await upstream.set(account.secret, answer({ headersDelayMs: 20 }));
    const responses = await many(key);
    expect(responses.every(({ status }) => status === 200)).toBe(true);
    expect((await upstream.statsOf(account.secret)).openMax).toBeLessThanOrEqual(SLOTS);
    expect(await usageOf(key, 10 * SLOTS)).toHaveLength(10 * SLOTS);
    expect(await settledStatus(key)).toMatchObject({ activePermits: 0, waiting: 0 });
  });

  it("are never exceeded, and those for whom there is no place are told when to come back", async () => {
    const { account, key } = await createPair(
      {},
      { concurrency: SLOTS, queueLength: 10, queueTimeoutMs: 60_000 },
    );
    await upstream.set(account.secret, answer({ headersDelayMs: 200 }));
    const responses = await many(key);
    const served = responses.filter(({ status }) => status === 200).length;
    const refusals = await Promise.all(responses.filter(({ ok }) => !ok).map(refusalOf));
    expect(served).toBeGreaterThanOrEqual(SLOTS + 10);
    for (const refusal of refusals) expect(refusal).toEqual(refused("queue_full", 30));
    const { openMax, requests } = await upstream.statsOf(account.secret);
    expect(openMax).toBeLessThanOrEqual(SLOTS);
    expect(requests).toBe(served);
  });
});

describe("6: a key's queue", () => {
  it("does not exist unless the key has one", async () => {
    const { account, key } = await createPair({}, { concurrency: 1 });
    const { leave } = await occupy(account, key);
    expect(await refusalOf(await call(key))).toEqual(refused("concurrency", 1));
    await leave();
  });

  it.each([
    [{ queueLength: 2 }, 2],
    [{ queueMultiple: 3 }, 3],
    [{ queueLength: 1, queueMultiple: 2.9 }, 2],
  ])("has the length of %j: %d", async (options, length) => {
    const { account, key } = await createPair({}, { concurrency: 1, queueTimeoutMs: 60_000, ...options });
    const { leave } = await occupy(account, key);
    const waiting = await fill(key, length);
    expect(await refusalOf(await call(key))).toEqual(refused("queue_full", 30));
    await leave();
    expect(new Set(await statuses(waiting))).toEqual(new Set([200]));
  });

  it("keeps nobody longer than its time limit, and is empty afterwards", async () => {
    const { account, key } = await createPair({}, { concurrency: 1, queueLength: 5, queueTimeoutMs: 2000 });
    const { leave } = await occupy(account, key);
    const waiting = await fill(key, 2);
    for (const response of await Promise.all(waiting))
      expect(await refusalOf(response)).toEqual(refused("queue_timeout", 5));
    expect(await statusOf(key)).toMatchObject({ activePermits: 1, waiting: 0 });
    await leave();
    await settledStatus(key);
    expect((await call(key)).status).toBe(200);
  });

  it("takes the deployment's time limit where the key has none", async () => {
    const { account, key } = await createPair({}, { concurrency: 1, queueLength: 5 });
    const { leave } = await occupy(account, key);
    expect(await refusalOf(await call(key))).toEqual(refused("queue_timeout", 5));
    await leave();
  });

  it("serves in order of arrival also when those in the middle leave", async () => {
    const { account, key } = await createPair({}, { concurrency: 1, queueLength: 4, queueTimeoutMs: 60_000 });
    await upstream.recordBodies(account.secret);
    const { leave } = await occupy(account, key);
    const controllers: AbortController[] = [];
    const waiting: Promise<Response | null>[] = [];
    for (const place of [1, 2, 3, 4]) {
      const controller = new AbortController();
      const body = { messages: [{ role: "user", content: `place ${String(place)}` }] };
      waiting.push(call(key, { body, signal: controller.signal }).catch(() => null));
      controllers.push(controller);
      await waitingIs(key, place);
    }
    controllers[1]?.abort();
    await waitingIs(key, 3);
    await leave();
    const [first, second, third, fourth] = await Promise.all(waiting);
    expect([first?.status, third?.status, fourth?.status]).toEqual([200, 200, 200]);
    expect(second?.ok ?? false).toBe(false);
    const log = await upstream.log(account.secret);
    const places = log.map(({ body }) => /place (\d)/.exec(JSON.stringify(body))?.[1]).filter(Boolean);
    expect(places).toEqual(["1", "3", "4"]);
  });

  it("gives the place of one that leaves to the next that comes", async () => {
    const { account, key } = await createPair({}, { concurrency: 1, queueLength: 1, queueTimeoutMs: 60_000 });
    const { leave } = await occupy(account, key);
    const controller = new AbortController();
    const leaving = call(key, { signal: controller.signal }).catch(() => null);
    await waitingIs(key, 1);
    expect((await refusalOf(await call(key))).code).toBe("queue_full");
    controller.abort();
    await leaving;
    await waitingIs(key, 0);
    const [next] = await fill(key, 1);
    await leave();
    expect((await next)?.status).toBe(200);
  });

  it("moves on at once when the key gets more slots", async () => {
    const { account, key } = await createPair({}, { concurrency: 1, queueLength: 5, queueTimeoutMs: 60_000 });
    const { leave } = await occupy(account, key);
    const waiting = await fill(key, 2);
    await admin("PATCH", `/keys/${key.id}`, { concurrency: 2 });
    expect(await statuses(waiting)).toEqual([200, 200]);
    await leave();
  });

  it("is emptied when the key is switched off", async () => {
    const { account, key } = await createPair({}, { concurrency: 1, queueLength: 5, queueTimeoutMs: 60_000 });
    const { leave } = await occupy(account, key);
    const waiting = await fill(key, 2);
    await admin("PATCH", `/keys/${key.id}`, { enabled: false });
    expect(await statuses(waiting)).toEqual([401, 401]);
    await leave();
  });

  it("is left early when the latest waits say that another would be in vain", async () => {
    const { account, key } = await createPair({}, { concurrency: 1, queueLength: 12, queueTimeoutMs: 2000 });
    const { leave } = await occupy(account, key);
    for (const response of await Promise.all(Array.from({ length: 10 }, () => call(key))))
      expect(await refusalOf(response)).toEqual(refused("queue_timeout", 5));
    // Four fifths of the new time limit are what those ten have waited.
    await admin("PATCH", `/keys/${key.id}`, { queueLength: 3, queueTimeoutMs: 2500 });
    const waiting = await fill(key, 2);
    expect(await refusalOf(await call(key))).toEqual(refused("queue_overloaded", 30));
    await leave();
    expect(await statuses(waiting)).toEqual([200, 200]);
  }, 20_000);
});
