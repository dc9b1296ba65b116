import { describe, expect, it } from "vitest";
import type { ProxyId } from "../domain/ids.ts";
import type { Env } from "../env.ts";
import { chosenProxy, enteredProxy, newProxy } from "./proxy.ts";

const PLACE = { type: "socks5", host: "proxy.example", port: 1080, username: "me" } as const;
const BEFORE = { ...PLACE, hasPassword: true };

describe("enteredProxy", () => {
  it("parts the password from what is kept in sight", () => {
    expect(enteredProxy({ ...PLACE, password: "secret" }, null)).toEqual({
      config: BEFORE,
      password: "secret",
    });
  });

  it("changes nothing where nothing was entered, and removes what was emptied", () => {
    expect(enteredProxy(undefined, BEFORE)).toEqual({ config: BEFORE, password: null });
    expect(enteredProxy(null, BEFORE)).toEqual({ config: null, password: null });
  });

  it("keeps the password of the same user of the same proxy", () => {
    expect(enteredProxy({ ...PLACE, password: null }, BEFORE)).toEqual({ config: BEFORE, password: null });
  });

  it.each([{ host: "evil.example" }, { port: 1081 }, { type: "http" as const }, { username: "you" }])(
    "asks for the password again when %j changes",
    (change) => {
      expect(() => enteredProxy({ ...PLACE, ...change, password: null }, BEFORE)).toThrow(
        "proxy.password: is missing beside the user name",
      );
    },
  );

  it("forgets the password with the user", () => {
    const open = { ...PLACE, username: null };
    expect(enteredProxy({ ...open, password: null }, BEFORE)).toEqual({
      config: { ...open, hasPassword: false },
      password: null,
    });
  });
});

const SHARED = "prx_00000001" as ProxyId;
const OTHER = "prx_00000002" as ProxyId;
const NONE = { proxy: null, proxyId: null };

/** A deployment with one shared proxy. */
const env = {
  PROXIES: {
    idFromName: (name: string) => name,
    get: (id: string) => ({
      current: () => Promise.resolve(id === SHARED ? { ...BEFORE, password: "secret" } : null),
    }),
  },
} as unknown as Env;

describe("newProxy", () => {
  it("refuses half a sign-in", async () => {
    await expect(newProxy(env, { proxy: { ...PLACE, password: null } })).rejects.toThrow("proxy.password");
    expect(await newProxy(env, { proxy: { ...PLACE, password: "secret" } })).toEqual({
      ...BEFORE,
      password: "secret",
    });
    expect(await newProxy(env, { proxy: null })).toBeNull();
  });

  it("takes a shared one with its password, and knows no other", async () => {
    expect(await newProxy(env, { proxyId: SHARED })).toEqual({ ...BEFORE, password: "secret" });
    await expect(newProxy(env, { proxyId: OTHER })).rejects.toThrow("proxyId: there is no such proxy");
  });
});

describe("chosenProxy", () => {
  const shared = { proxy: BEFORE, proxyId: SHARED };

  it("leaves a shared proxy as it is where nothing is said, or where a form sends back what it showed", async () => {
    const kept = { config: BEFORE, password: null, proxyId: SHARED };
    expect(await chosenProxy(env, {}, shared)).toEqual(kept);
    expect(await chosenProxy(env, { proxyId: SHARED }, shared)).toEqual(kept);
    expect(await chosenProxy(env, { proxy: { ...PLACE, password: null } }, shared)).toEqual(kept);
  });

  it("takes the shared one away, or puts one of the account's own in its place", async () => {
    expect(await chosenProxy(env, { proxyId: null }, shared)).toMatchObject({ config: null, proxyId: null });
    expect(await chosenProxy(env, { proxy: null }, shared)).toMatchObject({ config: null, proxyId: null });
    const own = { ...PLACE, password: "another" };
    expect(await chosenProxy(env, { proxy: own }, shared)).toMatchObject({
      password: "another",
      proxyId: null,
    });
  });

  it("refuses both at once, and does not give a shared password to an own proxy of the same place", async () => {
    const own = { ...PLACE, password: "another" };
    await expect(chosenProxy(env, { proxy: own, proxyId: SHARED }, NONE)).rejects.toThrow("not both");
    const asBefore = { ...PLACE, password: null };
    await expect(chosenProxy(env, { proxy: asBefore, proxyId: null }, shared)).rejects.toThrow(
      "proxy.password",
    );
  });
});
