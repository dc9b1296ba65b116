/** The relay's processes are killed in the middle of streams: what was used is booked once, and every slot comes back. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { RelayUnderTest, until } from "./relay-under-test.ts";

const STREAMS = 4;
/** Permits and leases live 90 s from their last renewal. */
const TTL_MS = 90_000;

let relay: RelayUnderTest;

beforeAll(async () => {
  relay = await RelayUnderTest.start();
});

afterAll(async () => {
  await relay.stop();
});

it("killed with streams running, it books each once and frees the slots within the lease's time", async () => {
  const { control } = relay.upstream;
  const secret = "sk-ant-crash";
  await control.set(secret, { kind: "endless", intervalMs: 50 });
  const account = await relay.createAccount(secret, { maxConcurrency: STREAMS });
  const key = await relay.createKey({ concurrency: STREAMS });
  const readers = await Promise.all(
    Array.from({ length: STREAMS }, async () => {
      const reader = (await relay.stream(key, "endless")).body?.getReader();
      await reader?.read();
      return reader;
    }),
  );
  await until(async () => (await relay.key(key.id)).status?.activePermits === STREAMS, 5000);
  // Grants are written within 25 ms.
  await new Promise((resolve) => setTimeout(resolve, 100));
  await relay.crashAndRestart();
  const crashedAt = Date.now();
  for (const reader of readers) await reader?.cancel().catch(() => undefined);

  // What was held is still held: nobody gets a slot that a worker might be using.
  expect((await relay.account(account.id)).status?.activeLeases).toBe(STREAMS);
  expect((await relay.stream(key, "too early")).status).toBe(429);

  const records = await relay.records(key, STREAMS, TTL_MS + 15_000);
  expect(Date.now() - crashedAt).toBeLessThan(TTL_MS + 15_000);
  expect(records).toHaveLength(STREAMS);
  for (const record of records) expect(record).toMatchObject({ outcome: "lost", estimated: true });
  await until(async () => (await relay.account(account.id)).status?.activeLeases === 0, 15_000);

  await control.set(secret, null);
  const response = await relay.stream(key, "afterwards");
  expect(response.status).toBe(200);
  expect(await response.text()).toContain("message_stop");
  expect(await relay.records(key, STREAMS + 1, 10_000)).toHaveLength(STREAMS + 1);
}, 240_000);
