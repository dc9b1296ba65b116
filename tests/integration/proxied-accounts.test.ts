/** The other calls of an account behind a proxy, and how its proxy is entered, kept and shown. */
import { env as rawEnv } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AccountObject } from "../../durable-objects/account/object.ts";
import type { AccountView } from "../../worker/domain/account.ts";
import {
  accountStub,
  accountView,
  admin,
  call,
  createPair,
  createPool,
  eventually,
  relayWith,
  unique,
  upstream,
} from "./setup/relay.ts";
import {
  adminBy,
  control,
  createProxiedPair,
  lab,
  NEAR,
  placeOf,
  relayBy,
  REMOTE,
  setProxy,
  started,
  USER,
  WAYS,
} from "./setup/proxies.ts";

/** Processes are started on the way. */
const TEST_TIMEOUT_MS = 30_000;
const HOUR_MS = 3_600_000;
const EGRESS = { EGRESS_URL: lab.egress.url, EGRESS_TOKEN: lab.egress.token };

afterEach(() => {
  vi.useRealTimers();
});

async function createOAuth(proxy: unknown, base: string) {
  const family = unique("family");
  const [accessToken, refreshToken] = [unique("sk-ant-oat01"), unique("sk-ant-ort01")];
  await upstream.seedOAuth({
    family,
    accessToken,
    refreshToken,
    expiresInS: 3600,
    strict: true,
    requireBeta: true,
  });
  const { account, key } = await createPair({
    provider: "claude-oauth",
    credential: { accessToken, refreshToken, expiresAt: Date.now() + HOUR_MS },
    tokenUrl: `${base}/oauth/token`,
    baseUrl: base,
    proxy,
  });
  return { family, account, key };
}

const familyOf = async (family: string) => (await upstream.stats()).families[family];

describe("a token refresh", { timeout: TEST_TIMEOUT_MS }, () => {
  it("goes through the account's proxy, by the tunnel", async () => {
    const proxy = await started("socks5", USER);
    const { family, account, key } = await createOAuth(placeOf("socks5", proxy, USER), REMOTE);
    expect((await admin("POST", `/accounts/${account.id}/refresh`)).status).toBe(200);
    expect((await accountView(account)).status).toMatchObject({ refreshError: null });
    expect(await familyOf(family)).toMatchObject({ calls: 1, refreshesGranted: 1 });
    expect((await call(key)).status).toBe(200);
  });

  it("goes through the account's proxy, by the forwarder", async () => {
    const proxy = await started("http", USER);
    const { family, account } = await createOAuth(placeOf("http", proxy, USER), REMOTE);
    await runInDurableObject(accountStub(account), async (_, state) => {
      const object = new AccountObject(state, { ...rawEnv, ...EGRESS });
      // It loads what it knows first.
      await state.blockConcurrencyWhile(() => Promise.resolve());
      await object.refreshNow();
    });
    expect(await familyOf(family)).toMatchObject({ calls: 1, refreshesGranted: 1 });
  });

  it("is not tried directly when the proxy is dead, and the account says what failed", async () => {
    const proxy = await control.start({ kind: "socks5" });
    await control.kill(proxy);
    const before = await control.connections();
    const { family, account } = await createOAuth(placeOf("socks5", proxy), NEAR);
    await admin("POST", `/accounts/${account.id}/refresh`);
    const { status } = await accountView(account);
    expect(status?.refreshError).toMatch(/The proxy 127.0.0.1:\d+ could not be reached/);
    expect(await familyOf(family)).toMatchObject({ calls: 0 });
    expect(await control.connections()).toBe(before);
  });
});

describe.each(WAYS)("a sign-in, by the %s,", { timeout: TEST_TIMEOUT_MS }, (way) => {
  it("exchanges its code through the proxy of the account to be", async () => {
    const start = await adminBy(way, "/accounts/oauth/start", { provider: "claude-oauth" });
    const { sessionId, url } = await start.json<{ sessionId: string; url: string }>();
    const asked = new URL(url).searchParams;
    const [family, code, state] = [unique("family"), unique("authorization-code"), asked.get("state") ?? ""];
    await upstream.seedOAuth({
      family,
      code: { code, codeChallenge: asked.get("code_challenge") ?? "", state },
    });
    const proxy = await started("socks5", USER);
    const response = await adminBy(way, "/accounts/oauth/exchange", {
      sessionId,
      code: `${code}#${state}`,
      account: {
        name: unique("signed-in"),
        tokenUrl: `${REMOTE}/oauth/token`,
        baseUrl: REMOTE,
        proxy: placeOf("socks5", proxy, USER),
      },
    });
    expect(response.status, await response.clone().text()).toBe(201);
    expect((await response.json<AccountView>()).proxy).toMatchObject({ type: "socks5", hasPassword: true });
    expect(await familyOf(family)).toMatchObject({ exchangesGranted: 1 });
  });
});

describe("a probe", { timeout: TEST_TIMEOUT_MS }, () => {
  it("goes through the proxy, and ends the rest of an account whose proxy is there again", async () => {
    const dead = await control.start({ kind: "http" });
    await control.kill(dead);
    const { accounts, key } = await createPool([
      { priority: 1, baseUrl: REMOTE, proxy: placeOf("http", dead) },
      { priority: 2 },
    ]);
    const [account] = accounts;
    if (account === undefined) throw new Error("no account");
    expect((await call(key)).status).toBe(200);
    const { status } = await eventually(
      () => accountView(account),
      (view) => view.status?.availability.kind === "cooling",
    );
    expect((await setProxy(account, placeOf("http", await started("http")))).status).toBe(200);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime((status?.cooldowns[0]?.until ?? 0) - 4000);
    await runDurableObjectAlarm(accountStub(account));
    expect((await accountView(account)).status?.availability).toEqual({ kind: "available" });
    expect((await upstream.statsOf(account.secret)).otherRequests).toBe(1);
  });
});

describe("an account's proxy", { timeout: TEST_TIMEOUT_MS }, () => {
  it("is entered as the address it was handed out as, and shown without its password", async () => {
    const { port } = await started("socks5", USER);
    const address = `socks5h://${USER.username}:${encodeURIComponent(USER.password)}@127.0.0.1:${String(port)}`;
    const { account, key } = await createProxiedPair(address);
    const shown = await (await admin("GET", `/accounts/${account.id}`)).text();
    expect((JSON.parse(shown) as AccountView).proxy).toEqual({
      ...placeOf("socks5", { port }),
      username: USER.username,
      hasPassword: true,
    });
    expect(shown).not.toContain(USER.password);
    expect((await call(key)).status).toBe(200);
  });

  it("keeps its password through changes of anything else, and of itself as it is shown", async () => {
    const place = placeOf("socks5", await started("socks5", USER), { username: USER.username });
    const { account, key } = await createProxiedPair({ ...place, password: USER.password });
    expect((await admin("PATCH", `/accounts/${account.id}`, { priority: 3 })).status).toBe(200);
    expect((await setProxy(account, { ...place, hasPassword: true })).status).toBe(200);
    expect((await accountView(account)).proxy).toMatchObject({ hasPassword: true });
    expect((await call(key)).status).toBe(200);
  });

  it("does not give its password to another proxy", async () => {
    const place = placeOf("socks5", await started("socks5", USER), { username: USER.username });
    const { account } = await createProxiedPair({ ...place, password: USER.password });
    const refused = await setProxy(account, { ...place, host: "localhost" });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain("proxy.password: is missing beside the user name");
    expect((await accountView(account)).proxy).toMatchObject({ host: "127.0.0.1" });
  });

  it("is removed by null, with its password", async () => {
    const place = placeOf("socks5", { port: lab.closedPort }, USER);
    const { account, key } = await createPair({ proxy: place });
    expect((await setProxy(account, null)).status).toBe(200);
    expect((await accountView(account)).proxy).toBeNull();
    expect((await call(key)).status).toBe(200);
    expect((await setProxy(account, { ...place, password: null })).status).toBe(400);
  });

  it.each([
    [
      "half a sign-in",
      { type: "http", host: "proxy.example", port: 1, username: "me" },
      "proxy.password: is missing",
    ],
    [
      "the other half",
      { type: "http", host: "proxy.example", port: 1, password: "x" },
      "proxy.username: is missing",
    ],
    ["another scheme", "ftp://proxy.example:21", "proxy: must look like socks5://"],
    ["no port", "socks5://proxy.example", "proxy: must look like socks5://"],
  ])("is refused for %s", async (_, proxy, message) => {
    const response = await admin("POST", "/accounts", {
      name: unique("account"),
      provider: "claude-console",
      credential: { apiKey: unique("sk") },
      baseUrl: upstream.url,
      proxy,
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(message);
  });

  it("must not lead into a private network where the deployment does not allow it, whatever was stored", async () => {
    const { account, key } = await createProxiedPair(placeOf("socks5", await started("socks5")), {
      baseUrl: `https://upstream.example:${String(lab.tlsPort)}`,
    });
    const relay = relayWith({ ALLOW_PRIVATE_UPSTREAMS: "false" });
    expect((await call(key, { relay })).status).toBe(502);
    const { status } = await eventually(
      () => accountView(account),
      (view) => view.status?.cooldowns[0]?.reason === "proxy",
    );
    expect(status?.cooldowns[0]?.message).toContain("leads into a private network");
  });

  it("survives a restart of its object", async () => {
    const place = placeOf("socks5", await started("socks5", USER), USER);
    const { account, key } = await createProxiedPair(place);
    await evictDurableObject(accountStub(account));
    expect((await call(key, { relay: relayBy("tunnel") })).status).toBe(200);
  });
});
