/** Accounts of Factory: three dialects below /droid, keys that share the work, and a sign-in at another device. */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { AccountView } from "../../worker/domain/account.ts";
import { priceOf } from "../../worker/pricing/price.ts";
import { PRICE_TABLE } from "../../worker/pricing/table.ts";
import { answer } from "../upstream/behaviour.ts";
import { createKeys, createSignedIn, DROID_DIALECTS } from "./setup/droid.ts";
import { accountView, admin, createPair, fetchRelay, unique, upstream, usageOf } from "./setup/relay.ts";

afterEach(() => {
  vi.useRealTimers();
});

const HOUR_MS = 3_600_000;
const [MESSAGES] = DROID_DIALECTS;
const session = (id: string) => ({ headers: { "x-session-id": id } });
const logOf = async (subject: string) => upstream.log(subject);
const familyOf = async (family: string) => (await upstream.stats()).families[family];

describe.each(DROID_DIALECTS)("$name at Factory", ({ call, model, place, backend, end, prefix }) => {
  it.each([false, true])("is answered and booked to the token, streaming: %s", async (stream) => {
    const { apiKeys, account, key } = await createKeys();
    const [secret = ""] = apiKeys;
    await upstream.set(secret, answer({ usage: { input_tokens: 1000, output_tokens: 200 } }));
    const response = await call(key, { body: { stream } });
    expect(response.status).toBe(200);
    expect((await response.text()).includes(end)).toBe(stream);
    const [record] = await usageOf(key);
    const tokens = {
      input: 1000,
      output: 200,
      cacheRead: 0,
      cacheWrite5m: 0,
      cacheWrite1h: 0,
      webSearches: 0,
    };
    const billed = { tokens, model, serviceTier: record?.serviceTier ?? null, speed: null };
    const cost = priceOf(billed, record?.startedAt ?? 0, PRICE_TABLE);
    expect(cost.cost).toBeGreaterThan(0);
    expect(record).toMatchObject({
      outcome: "completed",
      estimated: false,
      provider: "droid",
      accountId: account.id,
      model,
      tokens,
      ...cost,
    });
  });

  it("comes to its place, signed in and with what Factory works by", async () => {
    const { apiKeys, key } = await createKeys();
    const headers = {
      "x-session-id": "session-of-droid-1",
      "openai-platform": "org-foreign",
      "openai-organization": "org-foreign",
      "user-agent": "factory-cli/0.215.0",
    };
    const response = await call(key, { headers, body: { metadata: { user_id: "somebody" } } });
    expect(response.status).toBe(prefix === "/droid/claude" ? 200 : 400);
    expect((await call(key, { headers })).status).toBe(200);
    const sent = (await logOf(apiKeys[0] ?? "")).at(-1);
    expect(sent?.path).toBe(place);
    expect(sent?.headers).toMatchObject({
      authorization: `Bearer ${apiKeys[0] ?? ""}`,
      "x-api-provider": backend,
      "x-session-id": "session-of-droid-1",
      "user-agent": "factory-cli/0.215.0",
    });
    expect(JSON.stringify(sent?.headers)).not.toMatch(/foreign|cr_/);
    for (const name of ["x-factory-client", "x-api-key"]) expect(sent?.headers).not.toHaveProperty(name);
  });

  it("is refused in its own dialect to a key that may not use it", async () => {
    const { apiKeys, key } = await createKeys(undefined, { permissions: ["claude", "openai"] });
    const response = await call(key);
    expect(response.status).toBe(403);
    const { error } = await response.json<{ error: { type: string; code: string } }>();
    expect(error.type).toBe(prefix === "/droid/claude" ? "permission_error" : "permission_denied");
    expect(error.code).toBe("service_not_allowed");
    expect(await logOf(apiKeys[0] ?? "")).toEqual([]);
    const { key: allowed } = await createKeys(undefined, { permissions: ["droid"] });
    expect((await call(allowed)).status).toBe(200);
  });

  it("reaches accounts of Factory only, and they serve nowhere else", async () => {
    const { key } = await createPair({ provider: "claude-console" });
    expect((await call(key)).status).toBeGreaterThanOrEqual(500);
    const { key: droid } = await createKeys();
    const elsewhere = await fetchRelay("/v1/messages", {
      method: "POST",
      headers: { authorization: `Bearer ${droid.key}`, "content-type": "application/json" },
      body: JSON.stringify({ model, max_tokens: 1, messages: [] }),
    });
    expect(elsewhere.status).toBe(529);
  });

  it("has a list of the models that its accounts name", async () => {
    const { key } = await createKeys(undefined, {}, { models: [model, "house-model", "wild-*"] });
    const get = async (path: string) => {
      const response = await fetchRelay(path, { headers: { authorization: `Bearer ${key.key}` } });
      return (await response.json<{ data: { id: string }[] }>()).data.map(({ id }) => id);
    };
    expect((await get(`${prefix}/v1/models`)).sort()).toEqual(["house-model", model].sort());
    expect(await get("/v1/models")).toEqual([]);
  });
});

describe("counting tokens at Factory", () => {
  it("is refused in words, in Anthropic's form", async () => {
    const { key } = await createKeys();
    const response = await fetchRelay("/droid/claude/v1/messages/count_tokens", {
      method: "POST",
      headers: { "x-api-key": key.key },
      body: "{}",
    });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ type: "error", error: { type: "not_found_error" } });
  });
});

describe("the keys of an account", () => {
  const usedBy = async (apiKeys: readonly string[]) => {
    const logs = await Promise.all(apiKeys.map(logOf));
    return logs.map((entries) => entries.filter(({ status }) => status === 200).length);
  };

  it("share the conversations, each of which stays with one of them", async () => {
    const { apiKeys, key } = await createKeys([unique("fk"), unique("fk"), unique("fk")]);
    for (let i = 0; i < 24; i++) {
      expect((await MESSAGES.call(key, session(`conversation-${String(i % 12)}`))).status).toBe(200);
    }
    const used = await usedBy(apiKeys);
    expect(used.every((count) => count > 0 && count % 2 === 0)).toBe(true);
  });

  it("lose one that is refused, which nobody notices, until the credential is entered anew", async () => {
    const bad = unique("refused");
    const { apiKeys, account, key } = await createKeys([unique("fk"), bad, unique("fk")]);
    const conversations = Array.from({ length: 20 }, (_, i) => session(`conversation-${String(i)}`));
    for (const conversation of conversations) {
      expect((await MESSAGES.call(key, conversation)).status).toBe(200);
    }
    expect((await logOf(bad)).map(({ status }) => status)).toEqual([401]);
    expect((await usedBy(apiKeys)).every((count, at) => (at === 1 ? count === 0 : count > 0))).toBe(true);
    const { status } = await accountView(account);
    expect(status?.availability).toMatchObject({ kind: "available" });
    expect(status?.cooldowns).toEqual([]);
    expect(status?.credential).toMatchObject({ refused: "1 of 3 keys" });
    expect(JSON.stringify(status)).not.toContain(bad);
    await admin("PATCH", `/accounts/${account.id}`, { credential: { apiKeys } });
    expect((await accountView(account)).status?.credential).toMatchObject({ refused: "0 of 3 keys" });
  });

  const refusing = (status: number, message: string) =>
    ({ kind: "status", status, body: { error: { type: "some_error", message } } }) as const;

  it("lose one for a 403 as well", async () => {
    const revoked = unique("fk");
    const { account, key } = await createKeys([revoked, unique("fk")]);
    await upstream.set(revoked, refusing(403, "This key was revoked"));
    for (let i = 0; i < 10; i++) {
      expect((await MESSAGES.call(key, session(`conversation-${String(i)}`))).status).toBe(200);
    }
    expect((await accountView(account)).status?.credential).toMatchObject({ refused: "1 of 2 keys" });
    expect(await logOf(revoked)).toHaveLength(1);
  });

  it.each([
    [400, "bad", 400],
    [402, "no credits", 503],
    [403, "your plan excludes this model", 502],
    [500, "oops", 502],
  ])("lose none for a %i: %s", async (status, message, told) => {
    const { apiKeys, account, key } = await createKeys([unique("fk"), unique("fk")]);
    for (const secret of apiKeys) await upstream.set(secret, refusing(status, message));
    expect((await MESSAGES.call(key, session("conversation-1"))).status).toBe(told);
    expect((await accountView(account)).status?.credential).toMatchObject({ refused: "0 of 2 keys" });
  });

  it("are all tried in one request, by many at once, before the account is given up", async () => {
    const good = unique("fk");
    const apiKeys = [unique("refused"), unique("refused"), good, unique("refused")];
    const { account, key } = await createKeys(apiKeys);
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, i) => MESSAGES.call(key, session(`conversation-${String(i)}`))),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect((await accountView(account)).status?.credential).toMatchObject({ refused: "3 of 4 keys" });
    expect(await usedBy([good])).toEqual([20]);
  });

  it("need a person when all are refused, who may also just say that they are fine again", async () => {
    const apiKeys = [unique("refused"), unique("refused"), unique("refused")];
    const { account, key } = await createKeys(apiKeys);
    const conversation = session("conversation-1");
    const response = await MESSAGES.call(key, conversation);
    expect(response.status).toBe(502);
    expect(await response.text()).not.toContain("401");
    const { status } = await accountView(account);
    expect(status?.availability).toMatchObject({ kind: "disabled" });
    expect(status?.refreshError).toContain("Every API key");
    expect((await MESSAGES.call(key, conversation)).status).toBe(529);
    const asked = async () => (await Promise.all(apiKeys.map(logOf))).flat().length;
    expect(await asked()).toBe(3);
    await admin("POST", `/accounts/${account.id}/reset`);
    expect((await MESSAGES.call(key, conversation)).status).toBe(502);
    expect(await asked()).toBe(6);
    const mended = unique("fk");
    await admin("PATCH", `/accounts/${account.id}`, { credential: { apiKey: mended } });
    expect((await MESSAGES.call(key, conversation)).status).toBe(200);
    expect(await usedBy([mended])).toEqual([1]);
  });

  it("never reach the client in what the upstream says", async () => {
    const { apiKeys, key } = await createKeys();
    const [secret = ""] = apiKeys;
    await upstream.set(secret, { kind: "status", status: 400, body: { error: { message: `no ${secret}` } } });
    expect(await (await MESSAGES.call(key)).text()).toContain("no [secret]");
  });
});

describe("the form of an account", () => {
  it("asks for keys, one a line, or for the tokens of a sign-in", async () => {
    const { items } = await (
      await admin("GET", "/providers")
    ).json<{ items: { id: string; oauth: boolean; credential: unknown }[] }>();
    const keys = { type: "array", items: { type: "string" } };
    expect(items.find(({ id }) => id === "droid")).toMatchObject({
      oauth: true,
      credential: {
        anyOf: [
          { title: "API keys", required: ["apiKeys"], properties: { apiKeys: keys } },
          { title: "Tokens", properties: { accessToken: {}, refreshToken: {} } },
          { title: "One API key", required: ["apiKey"], properties: { apiKey: {} } },
        ],
      },
    });
  });

  it("says what is wrong with a credential of neither kind", async () => {
    for (const credential of [
      {},
      { apiKeys: [] },
      { apiKeys: ["a b"] },
      { apiKeys: ["a"], accessToken: "b" },
    ]) {
      const account = { name: unique("wrong"), provider: "droid", credential };
      const response = await admin("POST", "/accounts", account);
      expect(response.status).toBe(400);
      expect(await response.text()).toContain("needs either apiKeys");
    }
  });
});

describe("an account whose person signed in", () => {
  it("is refreshed once for many requests that find the token expired", async () => {
    const { family, key } = await createSignedIn(-1000);
    const responses = await Promise.all(
      DROID_DIALECTS.flatMap(({ call }) => [call(key), call(key), call(key)]),
    );
    expect(responses.every(({ status }) => status === 200)).toBe(true);
    expect(await familyOf(family)).toMatchObject({ calls: 1, refreshesGranted: 1, reusesRefused: 0 });
  });

  it.each(DROID_DIALECTS)(
    "is refreshed when the upstream refuses the token of a call: $name",
    async (dialect) => {
      const { family, key } = await createSignedIn(HOUR_MS, { expiresInS: -10 });
      expect((await dialect.call(key)).status).toBe(200);
      expect(await familyOf(family)).toMatchObject({ calls: 1, refreshesGranted: 1 });
    },
  );

  it("proves in a test call that it works", async () => {
    const { account } = await createSignedIn(HOUR_MS);
    const test = await (await admin("POST", `/accounts/${account.id}/test`)).json();
    expect(test).toMatchObject({ ok: true, status: 200 });
  });
});

describe("sign-in at another device", () => {
  interface Started {
    sessionId: string;
    url: string;
    userCode: string;
    intervalMs: number;
    expiresAt: number;
  }
  const tokenUrl = `${upstream.url}/user_management/authenticate`;
  const start = async () =>
    (await admin("POST", "/accounts/oauth/start", { provider: "droid", tokenUrl })).json<Started>();
  const poll = (sessionId: string) =>
    admin("POST", "/accounts/oauth/poll", {
      sessionId,
      account: { name: unique("signed-in"), baseUrl: upstream.url, tokenUrl },
    });

  it("waits for the person, and leads to an account that works", async () => {
    const started = await start();
    expect(started.url).toContain(started.userCode);
    expect(started.intervalMs).toBe(5000);
    const pending = await poll(started.sessionId);
    expect(pending.status).toBe(200);
    expect(await pending.json()).toEqual({ kind: "pending", retryAfterMs: 5000 });
    expect((await fetch(started.url)).status).toBe(200);
    const done = await poll(started.sessionId);
    expect(done.status).toBe(201);
    const account = await done.json<AccountView>();
    expect(account).toMatchObject({ provider: "droid" });
    expect(account.status?.tokenExpiresAt).toBeGreaterThan(Date.now());
    const test = await (await admin("POST", `/accounts/${account.id}/test`)).json();
    expect(test).toMatchObject({ ok: true, status: 200 });
    expect((await poll(started.sessionId)).status).toBe(400);
  });

  it("ends when the person says no, or takes too long", async () => {
    const denied = await start();
    await fetch(`${denied.url}&deny=1`);
    const refusal = await poll(denied.sessionId);
    expect(refusal.status).toBe(400);
    expect(await refusal.text()).toContain("denied");
    expect(await (await poll(denied.sessionId)).text()).toContain("over or unknown");
    const late = await start();
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(late.expiresAt + 1);
    expect((await poll(late.sessionId)).status).toBe(400);
  });

  it("is not finished in the way of a sign-in with a code, nor the other way round", async () => {
    const device = await start();
    const exchange = await admin("POST", "/accounts/oauth/exchange", {
      sessionId: device.sessionId,
      code: "a-code-of-something",
      account: { name: unique("x") },
    });
    expect(exchange.status).toBe(400);
    const code = await admin("POST", "/accounts/oauth/start", { provider: "claude-oauth" });
    expect((await poll((await code.json<Started>()).sessionId)).status).toBe(400);
  });

  it("tells the admin when the provider cannot be asked", async () => {
    const response = await admin("POST", "/accounts/oauth/start", {
      provider: "droid",
      tokenUrl: `${upstream.url}/nowhere/authenticate`,
    });
    expect(response.status).toBe(502);
  });
});
