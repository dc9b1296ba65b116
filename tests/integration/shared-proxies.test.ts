/** Proxies that accounts share: entered once, changed in one place, and never deleted from under an account. */
import { describe, expect, it } from "vitest";
import type { SharedProxyView } from "../../worker/domain/shared-proxy.ts";
import { accountView, admin, call, createPair, env, unique } from "./setup/relay.ts";
import { adminBy, control, placeOf, REMOTE, started, testBy, USER } from "./setup/proxies.ts";

async function createProxy(proxy: unknown): Promise<SharedProxyView> {
  const response = await admin("POST", "/proxies", { name: unique("proxy"), proxy });
  if (response.status !== 201) throw new Error(await response.text());
  return response.json<SharedProxyView>();
}

const patch = (proxy: { readonly id: string }, change: unknown) =>
  admin("PATCH", `/proxies/${proxy.id}`, change);
const shown = async (proxy: { readonly id: string }) =>
  (await admin("GET", `/proxies/${proxy.id}`)).json<SharedProxyView>();

const pairBehind = (proxyId: string) => createPair({ baseUrl: REMOTE, proxyId });

/** Everything that D1 has of proxies and accounts, and of what was changed in them. */
async function everythingInD1(): Promise<string> {
  const tables = ["proxy", "account", "audit_entry"];
  const rows = await Promise.all(tables.map((table) => env.DB.prepare(`SELECT * FROM ${table}`).all()));
  return JSON.stringify(rows.map(({ results }) => results));
}

describe("a shared proxy", () => {
  it("is entered as an address, used by its accounts, and shown without its password", async () => {
    const { port } = await started("socks5", USER);
    const user = `${encodeURIComponent(USER.username)}:${encodeURIComponent(USER.password)}`;
    const proxy = await createProxy(`socks5://${user}@127.0.0.1:${String(port)}`);
    expect(proxy.proxy).toEqual({
      type: "socks5",
      host: "127.0.0.1",
      port,
      username: USER.username,
      hasPassword: true,
    });
    const { account, key } = await pairBehind(proxy.id);
    expect(account).toMatchObject({ proxyId: proxy.id, proxy: { port, hasPassword: true } });
    expect((await call(key)).status).toBe(200);
    expect((await shown(proxy)).accounts).toEqual([{ id: account.id, name: account.name }]);
    expect(JSON.stringify(await shown(proxy))).not.toContain(USER.password);
    expect(await everythingInD1()).not.toContain(USER.password);
  });

  it("changes every account that uses it, and no other", async () => {
    const [first, second] = [await control.start({ kind: "socks5" }), await control.start({ kind: "http" })];
    const proxy = await createProxy(placeOf("socks5", first));
    const pairs = [await pairBehind(proxy.id), await pairBehind(proxy.id)];
    const other = await createPair({ baseUrl: REMOTE, proxy: placeOf("socks5", first) });
    for (const { key } of pairs) expect((await call(key)).status).toBe(200);
    expect((await patch(proxy, { proxy: placeOf("http", second) })).status).toBe(200);
    for (const { account, key } of pairs) {
      expect((await accountView(account)).proxy).toMatchObject({ type: "http", port: second.port });
      expect((await call(key)).status).toBe(200);
    }
    expect((await accountView(other.account)).proxy).toMatchObject({ type: "socks5", port: first.port });
  });

  it("keeps its password when only its name changes, and asks for it when its place does", async () => {
    const running = await started("socks5", USER);
    const proxy = await createProxy(placeOf("socks5", running, USER));
    const { key } = await pairBehind(proxy.id);
    expect((await patch(proxy, { name: "renamed" })).status).toBe(200);
    expect(await shown(proxy)).toMatchObject({ name: "renamed", proxy: { hasPassword: true } });
    const same = placeOf("socks5", running, { username: USER.username });
    expect((await patch(proxy, { proxy: same })).status).toBe(200);
    expect((await call(key)).status).toBe(200);
    const moved = await patch(proxy, { proxy: { ...same, host: "127.0.0.2" } });
    expect(moved.status).toBe(400);
    expect(await moved.text()).toContain("proxy.password");
  });

  it("is not deleted while accounts use it, which are named", async () => {
    const proxy = await createProxy(placeOf("socks5", { port: 1 }));
    const { account } = await pairBehind(proxy.id);
    const refused = await admin("DELETE", `/proxies/${proxy.id}`);
    expect(refused.status).toBe(409);
    expect(await refused.text()).toContain(account.name);
    const own = await admin("PATCH", `/accounts/${account.id}`, { proxyId: null });
    expect(await own.json()).toMatchObject({ proxy: null, proxyId: null });
    expect((await admin("DELETE", `/proxies/${proxy.id}`)).status).toBe(204);
    expect((await admin("GET", `/proxies/${proxy.id}`)).status).toBe(404);
    const late = await admin("PATCH", `/accounts/${account.id}`, { proxyId: proxy.id });
    expect(late.status).toBe(400);
    expect(await late.text()).toContain("proxyId: there is no such proxy");
  });

  it("is not chosen together with one of the account's own", async () => {
    const proxy = await createProxy(placeOf("socks5", { port: 1 }));
    const response = await admin("POST", "/accounts", {
      name: unique("both"),
      provider: "claude-console",
      credential: { apiKey: "sk-ant-both" },
      proxyId: proxy.id,
      proxy: placeOf("http", { port: 2 }),
    });
    expect(response.status).toBe(400);
  });
});

describe("the test of a shared proxy", () => {
  const tested = async (id: string, body?: unknown) =>
    (await adminBy("tunnel", `/proxies/${id}/test`, body)).json<Record<string, unknown>>();

  it("reaches a target through it and says how long it took", async () => {
    const proxy = await createProxy(placeOf("socks5", await started("socks5", USER), USER));
    const result = await tested(proxy.id, { target: `${REMOTE}/v1/models` });
    expect(result).toMatchObject({ ok: true, code: null, exitAddress: null });
    expect(result["latencyMs"]).toBeGreaterThanOrEqual(0);
  });

  it("says what is wrong with it as the account's test does", async () => {
    const dead = await createProxy(placeOf("http", { port: 1 }));
    expect(await tested(dead.id, { target: REMOTE })).toMatchObject({ ok: false, code: "proxy_unreachable" });
    const { account } = await pairBehind(dead.id);
    expect(await testBy("tunnel", account)).toMatchObject({ ok: false, code: "proxy_unreachable" });
    const running = await started("socks5", USER);
    const wrong = await createProxy(placeOf("socks5", running, { ...USER, password: "wrong-password" }));
    const refused = await tested(wrong.id, { target: REMOTE });
    expect(refused).toMatchObject({ ok: false, code: "proxy_unauthorized" });
    expect(JSON.stringify(refused)).not.toContain("wrong-password");
  });

  it("is of web addresses only", async () => {
    const proxy = await createProxy(placeOf("socks5", { port: 1 }));
    for (const target of ["ftp://x.test/", "file:///etc/passwd", "nonsense", 7]) {
      expect((await admin("POST", `/proxies/${proxy.id}/test`, { target })).status).toBe(400);
    }
  });
});
