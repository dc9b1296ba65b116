/** Accounts behind proxies serve through them or not at all: conformance item 23, by the tunnel and by the forwarder. */
import { describe, expect, it } from "vitest";
import { FORBIDDEN_NAME } from "../proxies/orders.ts";
import {
  accountView,
  call,
  createPair,
  eventually,
  relayWith,
  stream,
  unique,
  upstream,
  type TestAccount,
  type TestKey,
} from "./setup/relay.ts";
import {
  control,
  createProxiedPair,
  lab,
  NEAR,
  placeOf,
  relayBy,
  started,
  testBy,
  USER,
  WAYS,
  type Way,
} from "./setup/proxies.ts";

interface Failure {
  readonly code: string;
  readonly message: RegExp;
}

/** The relay fails over for the proxy's sake, an account test says what is wrong, and the upstream heard of neither. */
async function expectClosed(
  way: Way,
  { account, key }: { account: TestAccount; key: TestKey },
  { code, message }: Failure,
): Promise<void> {
  const before = await control.connections();
  const test = await testBy(way, account);
  expect(test).toMatchObject({ ok: false, status: null, code });
  expect(test.message).toMatch(message);
  const response = await call(key, { relay: relayBy(way) });
  expect(response.status).toBe(502);
  expect(await response.text()).toContain("could not be reached through the account's proxy");
  const view = await eventually(
    () => accountView(account),
    ({ status }) => status?.cooldowns[0]?.reason === "proxy",
  );
  expect(view.status?.cooldowns[0]?.message).toMatch(message);
  expect(JSON.stringify([test, view])).not.toContain(USER.password);
  expect((await upstream.statsOf(account.secret)).requests).toBe(0);
  expect(await control.connections()).toBe(before);
}

/** Processes are started on the way. */
const TEST_TIMEOUT_MS = 30_000;

describe.each(WAYS)("by the %s", { timeout: TEST_TIMEOUT_MS }, (way) => {
  it.each([
    ["SOCKS5 without a password", "socks5", {}],
    ["SOCKS5 with a password", "socks5", USER],
    ["CONNECT without a password", "http", {}],
    ["CONNECT with a password", "http", USER],
  ] as const)("23: serves through %s", async (_, kind, user) => {
    const proxy = await started(kind, user);
    const { account, key } = await createProxiedPair(placeOf(kind, proxy, user));
    const answer = await call(key, { relay: relayBy(way) });
    expect(answer.status, await answer.clone().text()).toBe(200);
    const streamed = await stream(key, { relay: relayBy(way) });
    expect(await streamed.text()).toContain("message_stop");
    expect(await testBy(way, account)).toMatchObject({ ok: true, status: 200, code: null });
    expect((await upstream.statsOf(account.secret)).requests).toBe(3);
  });

  it.each(["socks5", "http"] as const)("23: a %s proxy that is dead fails closed", async (kind) => {
    const proxy = await control.start({ kind });
    await control.kill(proxy);
    const pair = await createProxiedPair(placeOf(kind, proxy), { baseUrl: NEAR });
    await expectClosed(way, pair, { code: "proxy_unreachable", message: /could not be reached/ });
  });

  it.each([
    ["CONNECT 407 for want of a password", "http", {}, /HTTP 407/],
    ["CONNECT 407 for a wrong password", "http", { ...USER, password: "wrong" }, /HTTP 407/],
    ["SOCKS5 that wants a password", "socks5", {}, /wants a|another sign-in/],
    ["SOCKS5 with a wrong password", "socks5", { ...USER, password: "wrong" }, /refused the user name/],
  ] as const)("23: %s fails closed", async (_, kind, user, message) => {
    const proxy = await started(kind, USER);
    const pair = await createProxiedPair(placeOf(kind, proxy, user), { baseUrl: NEAR });
    await expectClosed(way, pair, { code: "proxy_unauthorized", message });
  });

  it.each([
    ["socks5", /could not reach forbidden.test: not allowed by its rules/],
    ["http", /could not reach forbidden.test: HTTP 403/],
  ] as const)("23: a %s proxy that will not reach the upstream fails closed", async (kind, message) => {
    const proxy = await started(kind);
    const baseUrl = `https://${FORBIDDEN_NAME}:${String(lab.tlsPort)}`;
    const pair = await createProxiedPair(placeOf(kind, proxy), { baseUrl });
    await expectClosed(way, pair, { code: "proxy_refused", message });
  });

  it.each(["socks5", "http"] as const)(
    "23: an upstream behind a %s proxy with another's certificate fails closed",
    async (kind) => {
      const proxy = await started(kind);
      const baseUrl = `https://localhost:${String(lab.wrongTlsPort)}`;
      const pair = await createProxiedPair(placeOf(kind, proxy), { baseUrl });
      await expectClosed(way, pair, { code: "upstream_tls_failed", message: /TLS with localhost/ });
    },
  );

  it("says so when what is there speaks something else", async () => {
    const http = await started("http");
    const pair = await createProxiedPair(placeOf("socks5", http), { baseUrl: NEAR });
    await expectClosed(way, pair, {
      code: "proxy_unreachable",
      message: /does not answer as a SOCKS5 proxy/,
    });
  });

  it("gives up a proxy that accepts and never answers when the time is over", async () => {
    const { account, key } = await createProxiedPair(placeOf("socks5", { port: lab.silentPort }), {
      baseUrl: NEAR,
    });
    const response = await call(key, { relay: relayBy(way) });
    expect(response.status).toBe(504);
    await eventually(
      () => accountView(account),
      ({ status }) => status?.cooldowns[0]?.reason === "timeout",
    );
    expect((await upstream.statsOf(account.secret)).requests).toBe(0);
  });

  it("takes the next account when a proxy fails", async () => {
    const group = unique("group");
    const proxy = await control.start({ kind: "socks5" });
    await control.kill(proxy);
    const dead = { groups: [group], priority: 1, proxy: placeOf("socks5", proxy) };
    const { account } = await createPair({ ...dead, baseUrl: NEAR });
    const { account: next, key } = await createPair(
      { groups: [group], priority: 2 },
      { binding: { kind: "group", group } },
    );
    expect((await call(key, { relay: relayBy(way) })).status).toBe(200);
    expect((await upstream.statsOf(next.secret)).requests).toBe(1);
    expect((await upstream.statsOf(account.secret)).requests).toBe(0);
  });

  it("takes what an upstream says for the upstream's own", async () => {
    const proxy = await started("socks5");
    const { account, key } = await createProxiedPair(placeOf("socks5", proxy));
    await upstream.next(account.secret, {
      kind: "status",
      status: 407,
      headers: { "x-egress-error": "proxy_unreachable" },
      body: { type: "error", error: { type: "invalid_request_error", message: "canary" } },
    });
    const test = await testBy(way, account);
    expect(test).toMatchObject({ ok: false, status: 407, code: null });
    await upstream.next(account.secret, { kind: "reset" });
    expect((await call(key, { relay: relayBy(way) })).status).toBe(502);
    const { status } = await eventually(
      () => accountView(account),
      (view) => (view.status?.cooldowns.length ?? 0) > 0,
    );
    expect(status?.cooldowns[0]?.reason).toMatch(/network|proxy/);
  });
});

describe("a proxy that is reached by TLS", () => {
  it("works by the forwarder", async () => {
    const proxy = await started("https", USER);
    const { account, key } = await createProxiedPair({ ...placeOf("https", proxy, USER), host: "localhost" });
    expect((await call(key, { relay: relayBy("forwarder") })).status).toBe(200);
    expect(await testBy("forwarder", account)).toMatchObject({ ok: true });
  });

  it("is an error that names the forwarder where there is none", async () => {
    const proxy = await started("https");
    const pair = await createProxiedPair(placeOf("https", proxy), { baseUrl: NEAR });
    const message = /TLS inside TLS is not possible in a worker: run the egress forwarder and set EGRESS_URL/;
    await expectClosed("tunnel", pair, { code: "proxy_unusable", message });
  });
});

describe("the egress forwarder", () => {
  const anyProxy = { type: "socks5", host: "127.0.0.1", port: lab.silentPort };

  const at = (port: number) => `https://localhost:${String(port)}/`;
  const { url, token } = lab.egress;

  it.each([
    ["that wants another token", { url, token: "x".repeat(40) }, /refused EGRESS_TOKEN/],
    ["that is not there", { url: at(lab.closedPort), token }, /could not be reached/],
    ["that is something else", { url: upstream.url, token }, /is not the egress forwarder/],
    ["with a certificate of another", { url: at(lab.wrongTlsPort), token }, /could not be reached/],
  ])("%s is an error of its own", async (_, egress, message) => {
    const { account, key } = await createProxiedPair(anyProxy, { baseUrl: NEAR });
    const relay = relayWith({ EGRESS_URL: egress.url, EGRESS_TOKEN: egress.token });
    expect((await call(key, { relay })).status).toBe(502);
    const { status } = await eventually(
      () => accountView(account),
      (view) => view.status?.cooldowns[0]?.reason === "proxy",
    );
    expect(status?.cooldowns[0]?.message).toMatch(message);
    expect((await upstream.statsOf(account.secret)).requests).toBe(0);
  });

  it("calls only upstreams that it is allowed to", async () => {
    const pair = await createProxiedPair(anyProxy, { baseUrl: "https://localhost:1" });
    const message = /may not call localhost:1: add it to EGRESS_ALLOW/;
    await expectClosed("forwarder", pair, { code: "egress_target_denied", message });
  });
});
