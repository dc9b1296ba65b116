import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  accountStub,
  accountView,
  call,
  createPool,
  eventually,
  upstream,
  type TestAccount,
} from "./setup/relay.ts";

afterEach(() => {
  vi.useRealTimers();
});

const alarmOf = (account: TestAccount) => runDurableObjectAlarm(accountStub(account));

/** An account that rests because its upstream broke the connection, at the moment at which it is probed. */
async function restingAccount(): Promise<TestAccount> {
  const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }]);
  const [account] = accounts;
  if (account === undefined) throw new Error("no account");
  await upstream.next(account.secret, { kind: "reset" });
  expect((await call(key)).status).toBe(200);
  const { status } = await eventually(
    () => accountView(account),
    (view) => view.status?.availability.kind === "cooling",
  );
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime((status?.cooldowns[0]?.until ?? 0) - 4000);
  return account;
}

describe("a probe", () => {
  it("ends the rest of an account whose upstream answers again, before a request has to find out", async () => {
    const account = await restingAccount();
    await alarmOf(account);
    expect((await accountView(account)).status?.availability).toEqual({ kind: "available" });
    const { otherRequests } = await upstream.statsOf(account.secret);
    expect(otherRequests).toBe(1);
  });

  it("lets an account whose upstream still fails rest on, and longer", async () => {
    const account = await restingAccount();
    const before = (await accountView(account)).status?.cooldowns[0];
    await upstream.order({
      subject: account.secret,
      endpoint: "models",
      queue: [{ kind: "status", status: 503 }],
    });
    await alarmOf(account);
    const after = (await accountView(account)).status?.cooldowns[0];
    expect(after).toMatchObject({ reason: "network", strikes: 2 });
    expect(after?.until).toBeGreaterThan(before?.until ?? Infinity);
  });
});
