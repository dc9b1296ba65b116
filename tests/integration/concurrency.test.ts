/** Slots of keys and accounts, and the queues before them: conformance items 5 and 6. */
import { describe, expect, it } from "vitest";
import { answer } from "../upstream/behaviour.ts";
import {
  call,
  createPair,
  createPool,
  eventually,
  idle,
  keyView,
  patientRelay,
  stream,
  unique,
  upstream,
  usageOf,
} from "./setup/relay.ts";

const gated = async (secret: string) => {
  const gate = unique("gate");
  await upstream.set(secret, { kind: "gate", gate, then: answer() });
  return gate;
};

describe("5: a key's concurrency", () => {
  it("lets n in, refuses n + 1 with Retry-After, and lets the next in when one has ended", async () => {
    const { account, key } = await createPair({}, { concurrency: 2 });
    const gate = await gated(account.secret);
    const running = [call(key), call(key)];
    await upstream.until(account.secret, ({ open }) => open === 2);
    const refused = await call(key);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toMatchObject({ type: "error", error: { type: "rate_limit_error" } });
    await upstream.release(gate);
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200]);
    await idle(account, key);
    expect((await call(key)).status).toBe(200);
    expect((await upstream.statsOf(account.secret)).openMax).toBe(2);
  });

  it("frees the slot when the client aborts, when the upstream resets, and books each once", async () => {
    const { account, key } = await createPair({}, { concurrency: 1 });
    await upstream.next(account.secret, { kind: "endless", intervalMs: 10 });
    const controller = new AbortController();
    const response = await stream(key, { signal: controller.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    controller.abort();
    await idle(account, key);
    await upstream.next(account.secret, { kind: "cut", afterEvents: 3, mode: "reset" });
    await (await stream(key)).text();
    await idle(account, key);
    const records = await usageOf(key, 2);
    expect(records.map(({ outcome }) => outcome).sort()).toEqual(["client_gone", "interrupted"]);
  });
});

describe("6: a key's queue", () => {
  it("serves those who wait in the order they came", async () => {
    const { account, key } = await createPair({}, { concurrency: 1, queueLength: 5 });
    const gate = await gated(account.secret);
    const first = call(key);
    await upstream.until(account.secret, ({ open }) => open === 1);
    const waiting: Promise<Response>[] = [];
    for (let place = 1; place <= 3; place++) {
      waiting.push(call(key, { body: { messages: [{ role: "user", content: `place ${String(place)}` }] } }));
      await eventually(
        () => keyView(key),
        ({ status }) => status?.waiting === place,
      );
    }
    await upstream.recordBodies(account.secret);
    await upstream.release(gate);
    for (const response of await Promise.all([first, ...waiting])) expect(response.status).toBe(200);
    const log = await upstream.log(account.secret);
    const order = log.map(({ body }) => JSON.stringify(body)).filter((text) => text.includes("place"));
    expect(order.map((text) => /place (\d)/.exec(text)?.[1])).toEqual(["1", "2", "3"]);
    expect((await upstream.statsOf(account.secret)).openMax).toBe(1);
  });

  it("refuses at once when it is full, and after its time limit when nobody leaves", async () => {
    const { account, key } = await createPair({}, { concurrency: 1, queueLength: 1 });
    const gate = await gated(account.secret);
    const first = call(key);
    await upstream.until(account.secret, ({ open }) => open === 1);
    const waiting = call(key);
    await eventually(
      () => keyView(key),
      ({ status }) => status?.waiting === 1,
    );
    expect((await call(key)).status).toBe(429);
    const timedOut = await waiting;
    expect(timedOut.status).toBe(429);
    expect(Number(timedOut.headers.get("retry-after"))).toBeGreaterThanOrEqual(5);
    await upstream.release(gate);
    expect((await first).status).toBe(200);
  });

  it("gives the place of a client that leaves to the next", async () => {
    const { account, key } = await createPair({}, { concurrency: 1, queueLength: 1 });
    const gate = await gated(account.secret);
    const first = call(key);
    await upstream.until(account.secret, ({ open }) => open === 1);
    const controller = new AbortController();
    const leaving = call(key, { signal: controller.signal }).catch(() => null);
    await eventually(
      () => keyView(key),
      ({ status }) => status?.waiting === 1,
    );
    controller.abort();
    await eventually(
      () => keyView(key),
      ({ status }) => status?.waiting === 0,
    );
    await leaving;
    const next = call(key);
    await upstream.release(gate);
    expect([(await first).status, (await next).status]).toEqual([200, 200]);
  });
});

describe("an account's slots", () => {
  it("are never exceeded; requests wait for one in the order they came", async () => {
    const { account, key } = await createPair({ maxConcurrency: 2 });
    await upstream.set(account.secret, answer({ headersDelayMs: 40 }));
    const responses = await Promise.all(Array.from({ length: 12 }, () => call(key, { relay: patientRelay })));
    expect(responses.every(({ status }) => status === 200)).toBe(true);
    expect((await upstream.statsOf(account.secret)).openMax).toBe(2);
    await idle(account, key);
    expect(await usageOf(key, 12)).toHaveLength(12);
  });

  it("spill over to the next account while they are full, and say so when the wait is over", async () => {
    const { accounts, key } = await createPool([
      { maxConcurrency: 1, priority: 1 },
      { maxConcurrency: 1, priority: 2 },
    ]);
    const [first, second] = accounts;
    const gates = await Promise.all(accounts.map(({ secret }) => gated(secret)));
    const running = [call(key), call(key)];
    await upstream.until(first?.secret ?? "", ({ open }) => open === 1);
    await upstream.until(second?.secret ?? "", ({ open }) => open === 1);
    const refused = await call(key);
    expect(refused.status).toBe(529);
    expect(await refused.json()).toMatchObject({ error: { type: "overloaded_error" } });
    expect(refused.headers.get("retry-after")).not.toBeNull();
    for (const gate of gates) await upstream.release(gate);
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it("are not taken by calls that only count tokens", async () => {
    const { account, key } = await createPair({ maxConcurrency: 1 });
    const gate = await gated(account.secret);
    const running = call(key);
    await upstream.until(account.secret, ({ open }) => open === 1);
    expect((await call(key, { path: "/v1/messages/count_tokens" })).status).toBe(200);
    await upstream.release(gate);
    await running;
    expect(await usageOf(key)).toHaveLength(1);
    await idle(account, key);
  });
});
