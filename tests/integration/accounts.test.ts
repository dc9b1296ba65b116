/** Accounts in the admin's hands: held back, expired, their failures, lists of them, and what deleting one means. */
import { describe, expect, it } from "vitest";
import type { AccountView } from "../../worker/domain/account.ts";
import type { AccountFailure } from "../../worker/domain/account-failure.ts";
import type { Behaviour } from "../upstream/behaviour.ts";
import {
  accountView,
  admin,
  call,
  createAccount,
  createKey,
  createPair,
  createPool,
  eventually,
  unique,
  upstream,
  usageOf,
  type TestKey,
} from "./setup/relay.ts";

const HOUR_MS = 3_600_000;

async function refusalsOf(key: TestKey) {
  const [record] = await usageOf(key);
  const response = await admin("GET", `/requests/${record?.requestId ?? ""}`);
  const { routing } = await response.json<{ routing: { steps: { kind: string; reason?: string }[] } }>();
  return routing.steps.filter(({ kind }) => kind === "refused").map(({ reason }) => reason);
}

describe("an account that is held back", () => {
  it("gets no new requests, works when tried, and the story says why", async () => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }]);
    const [first, second] = accounts;
    const paused = await admin("PATCH", `/accounts/${first?.id ?? ""}`, { schedulable: false });
    expect(await paused.json()).toMatchObject({
      schedulable: false,
      enabled: true,
      status: { availability: { kind: "paused" } },
    });
    expect((await call(key)).status).toBe(200);
    expect(await upstream.log(first?.secret ?? "")).toEqual([]);
    expect(await upstream.log(second?.secret ?? "")).toHaveLength(1);
    expect(await refusalsOf(key)).toEqual(["paused"]);
    const tried = await (await admin("POST", `/accounts/${first?.id ?? ""}/test`)).json();
    expect(tried).toMatchObject({ ok: true });
    await admin("PATCH", `/accounts/${first?.id ?? ""}`, { schedulable: true });
    expect((await call(key)).status).toBe(200);
    expect(await upstream.log(first?.secret ?? "")).toHaveLength(2);
  });

  it("is told apart from one that is switched off, when there is no other", async () => {
    const { account, key } = await createPair({ schedulable: false });
    expect(account).toMatchObject({ schedulable: false });
    const response = await call(key);
    expect(response.status).toBe(529);
    expect(await response.text()).toContain("accounts are paused");
  });

  it("has its token renewed all the same", async () => {
    const [accessToken, refreshToken] = [unique("sk-ant-oat01"), unique("sk-ant-ort01")];
    await upstream.seedOAuth({
      family: unique("family"),
      accessToken,
      refreshToken,
      expiresInS: 300,
      refreshedExpiresInS: 8 * 3600,
    });
    const { account } = await createPair({
      provider: "claude-oauth",
      credential: { accessToken, refreshToken, expiresAt: Date.now() + 300_000 },
      tokenUrl: `${upstream.url}/oauth/token`,
      schedulable: false,
    });
    await eventually(
      () => accountView(account),
      ({ status }) => (status?.tokenExpiresAt ?? 0) > Date.now() + HOUR_MS,
    );
  });
});

describe("an account whose subscription has ended", () => {
  it("is not used, and both its state and the story say so", async () => {
    const expiresAt = Date.now() - 1000;
    const { accounts, key } = await createPool([{ priority: 1, expiresAt }, { priority: 2 }]);
    const [ended] = accounts;
    expect(ended?.status?.availability).toEqual({ kind: "expired", at: expiresAt });
    expect((await call(key)).status).toBe(200);
    expect(await refusalsOf(key)).toEqual(["expired"]);
    await admin("PATCH", `/accounts/${ended?.id ?? ""}`, { expiresAt: null });
    expect((await accountView({ id: ended?.id ?? "" })).status?.availability).toEqual({ kind: "available" });
  });

  it("serves until then", async () => {
    const { key } = await createPair({ expiresAt: Date.now() + HOUR_MS });
    expect((await call(key)).status).toBe(200);
  });
});

const failing = (status: number, type: string, message: string): Behaviour => ({
  kind: "status",
  status,
  body: { type: "error", error: { type, message } },
});

const errorsOf = async (account: { readonly id: string }, query = "") =>
  (await admin("GET", `/accounts/${account.id}/errors${query}`)).json<{
    items: AccountFailure[];
    total: number;
  }>();

describe("the history of failures", () => {
  it("C3 says when, what, of which request and model, and has nothing that looks like a secret", async () => {
    const { account, key } = await createPair();
    const leak = "sk-ant-api03-leaked-secret-0123456789";
    const message = `bad key ${account.secret} and ${leak} ${"x".repeat(600)}`;
    await upstream.set(account.secret, failing(401, "authentication_error", message));
    expect((await call(key)).status).not.toBe(200);
    const { items, total } = await eventually(
      () => errorsOf(account),
      (page) => page.total > 0,
    );
    expect(total).toBe(1);
    const [failure] = items;
    expect(failure).toMatchObject({ kind: "unauthorized", status: 401 });
    expect(failure?.model).toContain("claude");
    const [record] = await usageOf(key);
    expect(failure?.requestId).toBe(record?.requestId);
    expect(failure?.message.length).toBeLessThanOrEqual(300);
    expect(failure?.message).not.toContain(account.secret);
    expect(failure?.message).not.toContain("leaked-secret");
  });

  it("is paged, the newest first, and forgotten when asked", async () => {
    const { account, key } = await createPair({ cooldownSeconds: { overloaded: 0 } });
    for (let time = 0; time < 3; time++) {
      await upstream.set(account.secret, [failing(529, "overloaded_error", `number ${String(time)}`)]);
      await call(key);
    }
    await eventually(
      () => errorsOf(account),
      ({ total }) => total === 3,
    );
    const { items } = await errorsOf(account, "?limit=2&page=1");
    expect(items.map(({ kind, status }) => [kind, status])).toEqual([
      ["overloaded", 529],
      ["overloaded", 529],
    ]);
    expect(items[0]?.requestId?.localeCompare(items[1]?.requestId ?? "")).toBe(1);
    expect((await errorsOf(account, "?limit=2&page=2")).items).toHaveLength(1);
    expect((await admin("DELETE", `/accounts/${account.id}/errors`)).status).toBe(204);
    expect(await errorsOf(account)).toEqual({ items: [], total: 0 });
  });

  it("has nothing of an account that works", async () => {
    const { account, key } = await createPair();
    expect((await call(key)).status).toBe(200);
    expect(await errorsOf(account)).toEqual({ items: [], total: 0 });
  });
});

describe("the list", () => {
  const listed = async (query: string) =>
    (await admin("GET", `/accounts?${query}`)).json<{ items: AccountView[]; total: number }>();

  it("is filtered, searched, sorted and paged", async () => {
    const group = unique("listed");
    await createAccount({ name: `${group} b`, groups: [group], priority: 7 });
    await createAccount({ name: `${group} a`, groups: [group], priority: 9, schedulable: false });
    await createAccount({ name: `${group} c`, groups: [group], priority: 8, provider: "ccr" });
    const names = async (query: string) => (await listed(query)).items.map(({ name }) => name.at(-1));
    expect(await names(`group=${group}`)).toEqual(["b", "a", "c"]);
    expect(await names(`group=${group}&sort=name`)).toEqual(["a", "b", "c"]);
    expect(await names(`group=${group}&sort=-priority`)).toEqual(["a", "c", "b"]);
    expect(await names(`group=${group}&provider=ccr`)).toEqual(["c"]);
    expect(await names(`group=${group}&status=paused`)).toEqual(["a"]);
    expect(await names(`search=${group.toUpperCase()}%20b`)).toEqual(["b"]);
    expect(await listed(`group=${group}&sort=name&limit=2&page=2`)).toMatchObject({ total: 3 });
    expect(await names(`group=${group}&sort=name&limit=2&page=2`)).toEqual(["c"]);
    expect((await listed("group=ungrouped")).items.every(({ groups }) => groups.length === 0)).toBe(true);
  });

  it.each(["status=nonsense", "sort=secret", "sort=__proto__", "limit=0"])("refuses %s", async (query) => {
    expect((await admin("GET", `/accounts?${query}`)).status).toBe(400);
  });
});

describe("keys of an account that is deleted", () => {
  it("are counted before, and refused by name after, rather than served by the shared pool", async () => {
    await createAccount();
    const account = await createAccount({ groups: [unique("own")] });
    const binding = { kind: "account", accountId: account.id };
    const strict = await createKey({ binding });
    const lenient = await createKey({ binding, bindingFallback: true });
    const bound = await (await admin("GET", `/accounts/${account.id}/keys`)).json();
    expect(bound).toEqual({
      items: [
        { id: lenient.id, name: lenient.name, enabled: true, bindingFallback: true },
        { id: strict.id, name: strict.name, enabled: true, bindingFallback: false },
      ],
      total: 2,
    });
    expect((await call(strict)).status).toBe(200);
    expect((await admin("DELETE", `/accounts/${account.id}`)).status).toBe(204);
    const refused = await call(strict);
    expect(refused.status).toBe(529);
    expect(await refused.text()).toContain("The account that this key is bound to was deleted");
    expect((await call(lenient)).status).toBe(200);
  });
});

describe("refreshing by hand", () => {
  it.each([
    ["claude-console", { apiKey: "sk-ant-nothing" }, "no token to refresh"],
    ["claude-oauth", { accessToken: "sk-ant-oat01-setup" }, "no refresh token"],
  ])("of %s without tokens is refused, and changes nothing", async (provider, credential, message) => {
    const account = await createAccount({ provider, credential });
    const response = await admin("POST", `/accounts/${account.id}/refresh`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(message);
    const { status } = await accountView(account);
    expect(status).toMatchObject({ availability: { kind: "available" }, refreshError: null });
  });
});
