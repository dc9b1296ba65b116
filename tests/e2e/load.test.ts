/** 500 streams at once over five accounts with 20 slots each: limits held at every moment, sums exact, nothing left. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AccountView } from "../../worker/domain/account.ts";
import { answer } from "../upstream/behaviour.ts";
import { RelayUnderTest, until } from "./relay-under-test.ts";

const REQUESTS = 500;
const SLOTS = 20;

let relay: RelayUnderTest;

beforeAll(async () => {
  relay = await RelayUnderTest.start({ QUEUE_TIMEOUT_MS: "100000" });
});

afterAll(async () => {
  await relay.stop();
});

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

it("serves 500 concurrent streams within every slot limit, and books each exactly once", async () => {
  const { control } = relay.upstream;
  const accounts: (AccountView & { readonly secret: string })[] = [];
  for (let number = 0; number < 5; number++) {
    const secret = `sk-ant-load-${String(number)}`;
    await control.set(secret, answer({ events: 8, eventIntervalMs: 20 }));
    accounts.push({ ...(await relay.createAccount(secret, { maxConcurrency: SLOTS })), secret });
  }
  const key = await relay.createKey();

  const ends = await Promise.all(
    Array.from({ length: REQUESTS }, async (_, index) => {
      const session: Record<string, string> =
        index % 2 === 0 ? { "x-claude-code-session-id": crypto.randomUUID() } : {};
      const response = await relay.stream(key, `number ${String(index)}`, session);
      const text = await response.text();
      return `${String(response.status)} ${String(text.includes("message_stop"))}`;
    }),
  );
  expect([...new Set(ends)]).toEqual(["200 true"]);

  const records = await relay.records(key, REQUESTS, 10_000);
  expect(records).toHaveLength(REQUESTS);
  expect(new Set(records.map(({ requestId }) => requestId)).size).toBe(REQUESTS);
  expect(new Set(records.map(({ outcome }) => outcome))).toEqual(new Set(["completed"]));
  expect(records.some(({ estimated }) => estimated)).toBe(false);

  let served = 0;
  for (const account of accounts) {
    const seen = await control.statsOf(account.secret);
    const own = records.filter(({ accountId }) => accountId === account.id).map(({ tokens }) => tokens);
    expect(seen.openMax).toBeLessThanOrEqual(SLOTS);
    expect(seen.openMax).toBeGreaterThan(SLOTS / 2);
    expect(sum(own.map(({ input }) => input))).toBe(seen.usage.inputTokens);
    expect(sum(own.map(({ output }) => output))).toBe(seen.usage.outputTokens);
    expect(sum(own.map(({ cacheRead }) => cacheRead))).toBe(seen.usage.cacheReadInputTokens);
    served += seen.requests;
  }
  expect(served).toBe(REQUESTS);

  await until(async () => {
    const views = await Promise.all(accounts.map(({ id }) => relay.account(id)));
    const { status } = await relay.key(key.id);
    return views.every((view) => view.status?.activeLeases === 0) && status?.activePermits === 0;
  }, 5000);
});
