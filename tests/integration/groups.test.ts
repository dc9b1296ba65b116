/** Groups, their policies, and what a key's binding means: conformance item 9. */
import { describe, expect, it } from "vitest";
import { POLICIES, type Policy } from "../../worker/domain/group.ts";
import { answer, overloaded, rateLimited } from "../upstream/behaviour.ts";
import {
  accountView,
  admin,
  call,
  createAccount,
  createKey,
  createPool,
  eventually,
  idle,
  patientRelay,
  unique,
  upstream,
  type TestAccount,
  type TestKey,
} from "./setup/relay.ts";
import { inSession, newSession, requestsOf, servedBy } from "./setup/sessions.ts";

const groupOf = (accounts: readonly TestAccount[]): string => accounts[0]?.groups[0] ?? "";

/** Accounts in a group with a policy, and a key bound to it. */
async function createGroup(policy: Policy, overrides: readonly Record<string, unknown>[]) {
  const { accounts, key } = await createPool(overrides);
  expect((await admin("PUT", `/groups/${groupOf(accounts)}`, { policy })).status).toBe(200);
  return { accounts, key };
}

/** Occupies an account with requests that end when the gate is released. */
async function occupied(account: TestAccount, send: () => Promise<Response>, count = 1) {
  const gate = unique("gate");
  await upstream.next(account.secret, { kind: "gate", gate, then: answer() }, count);
  const running = Array.from({ length: count }, send);
  await upstream.until(account.secret, ({ open }) => open === count);
  return async () => {
    await upstream.release(gate);
    await Promise.all(running);
  };
}

async function sendMany(key: TestKey, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) expect((await call(key)).status).toBe(200);
}

describe("9: selection by policy", () => {
  it("least_recently_used takes turns, those that were never used first", async () => {
    const { accounts, key } = await createGroup("least_recently_used", [{}, {}, {}]);
    const order: string[] = [];
    for (let turn = 0; turn < 6; turn++) order.push((await servedBy(accounts, () => call(key))).id);
    expect(new Set(order.slice(0, 3)).size).toBe(3);
    expect(order.slice(3)).toEqual(order.slice(0, 3));
    const group = groupOf(accounts);
    const newcomer = await createAccount({ groups: [group] });
    expect((await servedBy([...accounts, newcomer], () => call(key))).id).toBe(newcomer.id);
  });

  it("least_loaded takes the less busy of two", async () => {
    const { accounts, key } = await createGroup("least_loaded", [{}, {}]);
    const [first, second] = accounts;
    if (first === undefined || second === undefined) throw new Error("no accounts");
    const direct = await createKey({ binding: { kind: "account", accountId: first.id } });
    const free = await occupied(first, () => call(direct, { relay: patientRelay }));
    const before = (await upstream.statsOf(first.secret)).requests;
    for (let turn = 0; turn < 8; turn++) {
      expect((await call(key)).status).toBe(200);
      // What an account has finished is known to its object a moment later.
      await idle(second, key);
    }
    expect(await requestsOf(accounts)).toEqual([before, 8]);
    await free();
  });

  it("weighted_random prefers the heavier, and leaves none out", async () => {
    const heavy = await createGroup("weighted_random", [{ weight: 1000 }, { weight: 1 }]);
    await sendMany(heavy.key, 20);
    const [most = 0] = await requestsOf(heavy.accounts);
    expect(most).toBeGreaterThanOrEqual(15);
    const even = await createGroup("weighted_random", [{}, {}]);
    await sendMany(even.key, 30);
    expect((await requestsOf(even.accounts)).every((count) => count > 0)).toBe(true);
  });

  it("rendezvous gives each session its home by weight, and no session a choice", async () => {
    const { accounts, key } = await createGroup("rendezvous", [{ weight: 1000 }, { weight: 1 }]);
    for (let turn = 0; turn < 20; turn++) expect((await call(key, inSession(newSession()))).status).toBe(200);
    const [most = 0] = await requestsOf(accounts);
    expect(most).toBeGreaterThanOrEqual(15);
  });

  it.each(POLICIES)("%s uses a lower tier only when the one above cannot serve", async (policy) => {
    const { accounts, key } = await createGroup(policy, [
      { priority: 20 },
      { priority: 10 },
      { priority: 10 },
    ]);
    const [lower, ...upper] = accounts;
    await sendMany(key, 6);
    expect(await requestsOf(lower === undefined ? [] : [lower])).toEqual([0]);
    for (const { secret } of upper) await upstream.set(secret, rateLimited({ retryAfterS: 60 }));
    expect((await call(key)).status).toBe(200);
    expect(await requestsOf(lower === undefined ? [] : [lower])).toEqual([1]);
  });

  it("draws from accounts of every provider", async () => {
    const accessToken = unique("sk-ant-oat01");
    const { accounts, key } = await createGroup("least_recently_used", [
      {},
      {
        provider: "claude-oauth",
        credential: { accessToken, refreshToken: unique("sk-ant-ort01"), expiresAt: Date.now() + 3_600_000 },
      },
    ]);
    await sendMany(key, 4);
    expect((await upstream.statsOf(accounts[0]?.secret ?? "")).requests).toBe(2);
    expect((await upstream.statsOf(accessToken)).requests).toBe(2);
    const [entry] = await upstream.log(accessToken);
    expect(entry?.headers).toMatchObject({ authorization: `Bearer ${accessToken}` });
  });
});

describe("a session in a group", () => {
  it.each(POLICIES)("stays where its first request went under %s", async (policy) => {
    const { accounts, key } = await createGroup(policy, [{}, {}, {}]);
    const sessions = Array.from({ length: 6 }, () => inSession(newSession()));
    const places = new Map<number, string>();
    for (const [index, session] of sessions.entries()) {
      places.set(index, (await servedBy(accounts, () => call(key, session))).id);
    }
    for (let turn = 0; turn < 3; turn++) {
      for (const [index, session] of sessions.entries()) {
        expect((await servedBy(accounts, () => call(key, session))).id).toBe(places.get(index));
      }
    }
  });

  it("stays although its account has become the busier one", async () => {
    const { accounts, key } = await createGroup("least_loaded", [{}, {}]);
    const session = inSession(newSession());
    const place = await servedBy(accounts, () => call(key, session));
    const direct = await createKey({ binding: { kind: "account", accountId: place.id } });
    const free = await occupied(place, () => call(direct, { relay: patientRelay }), 3);
    expect((await servedBy(accounts, () => call(key, session))).id).toBe(place.id);
    expect((await servedBy(accounts, () => call(key, inSession(newSession())))).id).not.toBe(place.id);
    await free();
  });

  it("stays although every other account has rested longer", async () => {
    const { accounts, key } = await createGroup("least_recently_used", [{}, {}, {}, {}]);
    const session = inSession(newSession());
    const place = await servedBy(accounts, () => call(key, session));
    for (let turn = 0; turn < 4; turn++)
      expect((await servedBy(accounts, () => call(key, session))).id).toBe(place.id);
  });

  it("moves when its account cannot serve, and stays there under a policy as without", async () => {
    const { accounts, key } = await createGroup("least_recently_used", [{}, {}, {}]);
    const session = inSession(newSession());
    const place = await servedBy(accounts, () => call(key, session));
    await upstream.next(place.secret, overloaded());
    const others = accounts.filter(({ id }) => id !== place.id);
    const refuge = await servedBy(others, () => call(key, session));
    await admin("POST", `/accounts/${place.id}/reset`);
    for (let turn = 0; turn < 3; turn++)
      expect((await servedBy(accounts, () => call(key, session))).id).toBe(refuge.id);
  });
});

/** An account outside any group that serves one model only: no other test's request can reach it. */
async function sharedAccount() {
  const model = unique("claude-sonnet");
  const shared = await createAccount({ models: [model], priority: 1 });
  return { shared, body: { model } };
}

describe("9: a key bound to one account", () => {
  async function dedicated(bindingFallback: boolean) {
    const { shared, body } = await sharedAccount();
    const account = await createAccount({ groups: [unique("group")], priority: 90 });
    const key = await createKey({ binding: { kind: "account", accountId: account.id }, bindingFallback });
    return { shared, body, account, key };
  }

  it.each([false, true])("is served by it while it can be (fallback: %s)", async (fallback) => {
    const { shared, body, account, key } = await dedicated(fallback);
    expect((await servedBy([account, shared], () => call(key, { body }))).id).toBe(account.id);
  });

  it("is told how long its limit lasts, without a fallback", async () => {
    const { shared, body, account, key } = await dedicated(false);
    await upstream.set(account.secret, rateLimited({ retryAfterS: 120 }));
    for (let turn = 0; turn < 2; turn++) {
      const response = await call(key, { body });
      expect(response.status).toBe(429);
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(100);
      await eventually(
        () => accountView(account),
        ({ status }) => status?.availability.kind === "cooling",
      );
    }
    expect(await requestsOf([account, shared])).toEqual([1, 0]);
  });

  it("goes to the shared pool while it is rate limited, with a fallback", async () => {
    const { shared, body, account, key } = await dedicated(true);
    await upstream.set(account.secret, rateLimited({ retryAfterS: 120 }));
    expect((await call(key, { body })).status).toBe(200);
    expect((await call(key, { body })).status).toBe(200);
    expect(await requestsOf([account, shared])).toEqual([1, 2]);
  });

  it.each([
    [false, 529, 0],
    [true, 200, 1],
  ])("that is switched off, with fallback %s: %i", async (fallback, status, requests) => {
    const { shared, body, account, key } = await dedicated(fallback);
    await admin("PATCH", `/accounts/${account.id}`, { enabled: false });
    expect((await call(key, { body })).status).toBe(status);
    expect(await requestsOf([account, shared])).toEqual([0, requests]);
  });

  it("is back at its account when a fallback is no longer needed", async () => {
    const { shared, body, account, key } = await dedicated(true);
    await upstream.next(account.secret, rateLimited({ retryAfterS: 120 }));
    expect((await servedBy([shared], () => call(key, { body }))).id).toBe(shared.id);
    await admin("PATCH", `/accounts/${account.id}`, { credential: { apiKey: account.secret } });
    // Refusals are remembered for some seconds, so another model asks anew.
    expect((await servedBy([account, shared], () => call(key))).id).toBe(account.id);
  });
});

describe("9: a key bound to a group", () => {
  it.each([
    [false, 429, 0],
    [true, 200, 1],
  ])("whose accounts are all limited, with fallback %s: %i", async (bindingFallback, status, requests) => {
    const { shared, body } = await sharedAccount();
    const { accounts, key } = await createPool([{}, {}], { bindingFallback });
    for (const { secret } of accounts) await upstream.set(secret, rateLimited({ retryAfterS: 120 }));
    expect((await call(key, { body })).status).toBe(status);
    expect(await requestsOf([...accounts, shared])).toEqual([1, 1, requests]);
  });

  it("never uses the accounts of another group", async () => {
    const { accounts: others } = await createPool([{ priority: 1 }]);
    const { accounts, key } = await createPool([{ priority: 99 }], { bindingFallback: true });
    await sendMany(key, 3);
    expect(await requestsOf([...others, ...accounts])).toEqual([0, 3]);
  });

  it("shares an account that is in several groups", async () => {
    const groups = [unique("group"), unique("group")];
    const account = await createAccount({ groups });
    for (const group of groups) {
      const key = await createKey({ binding: { kind: "group", group } });
      expect((await call(key)).status).toBe(200);
    }
    expect(await requestsOf([account])).toEqual([2]);
  });
});

describe("/admin/groups", () => {
  interface GroupView {
    readonly name: string;
    readonly policy: Policy;
    readonly accounts: readonly string[];
  }
  const listed = async (name: string) => {
    const { items } = await (await admin("GET", "/groups")).json<{ items: GroupView[] }>();
    return items.find((group) => group.name === name);
  };

  it("lists every group that an account or a policy names, and the shared pool", async () => {
    const { accounts } = await createPool([{}, {}]);
    const shared = await createAccount({ models: [unique("model")] });
    const group = groupOf(accounts);
    expect(await listed(group)).toEqual({
      name: group,
      policy: "rendezvous",
      modelMap: {},
      accounts: accounts.map(({ id }) => id),
    });
    const pool = await listed("*");
    expect(pool?.accounts).toContain(shared.id);
    expect(pool?.accounts).not.toContain(accounts[0]?.id);
  });

  it("gives the shared pool a policy under its own name", async () => {
    const response = await admin("PUT", "/groups/*", { policy: "least_recently_used" });
    expect(response.status).toBe(200);
    expect((await listed("*"))?.policy).toBe("least_recently_used");
    expect((await admin("DELETE", "/groups/*")).status).toBe(204);
    expect((await listed("*"))?.policy).toBe("rendezvous");
  });

  it("forgets a policy, not its accounts", async () => {
    const { accounts, key } = await createGroup("least_recently_used", [{}]);
    const group = groupOf(accounts);
    expect((await admin("DELETE", `/groups/${group}`)).status).toBe(204);
    expect((await admin("DELETE", `/groups/${group}`)).status).toBe(404);
    expect((await listed(group))?.policy).toBe("rendezvous");
    expect((await call(key)).status).toBe(200);
  });

  it("refuses what is no policy", async () => {
    expect((await admin("PUT", `/groups/${unique("group")}`, { policy: "fastest" })).status).toBe(400);
    expect((await admin("PUT", `/groups/${"x".repeat(101)}`, { policy: "rendezvous" })).status).toBe(404);
  });
});
