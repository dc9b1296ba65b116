/** Accounts behind proxies: every call goes through the proxy, by the worker's own tunnel and by the egress forwarder. */
import { describe, expect, it } from "vitest";
import { call, stream, upstream } from "./setup/relay.ts";
import { control, createProxiedPair, placeOf, relayBy, testBy, USER, WAYS } from "./setup/proxies.ts";

describe.each(WAYS)("by the %s", (way) => {
  it.each([
    ["SOCKS5 without a password", "socks5", {}],
    ["SOCKS5 with a password", "socks5", USER],
    ["CONNECT without a password", "http", {}],
    ["CONNECT with a password", "http", USER],
  ] as const)("23: serves through %s", async (_, kind, user) => {
    const proxy = await control.start({ kind, ...user });
    const { account, key } = await createProxiedPair(placeOf(kind, proxy, user));
    const answer = await call(key, { relay: relayBy(way) });
    expect(answer.status, await answer.clone().text()).toBe(200);
    const streamed = await stream(key, { relay: relayBy(way) });
    expect(await streamed.text()).toContain("message_stop");
    expect(await testBy(way, account)).toMatchObject({ ok: true, status: 200, code: null });
    expect((await upstream.statsOf(account.secret)).requests).toBe(3);
  });
});
