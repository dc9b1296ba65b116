/** Who is let in: conformance items 1 and 2, and security cases A1 to A3. */
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  admin,
  call,
  createPair,
  createPool,
  env,
  fetchRelay,
  messagesBody,
  upstream,
  usageOf,
} from "./setup/relay.ts";

const post = (path: string, headers: Record<string, string>) =>
  fetchRelay(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(messagesBody()),
  });

describe("1: the relay key", () => {
  it.each(["x-api-key", "x-goog-api-key", "api-key", "authorization"])(
    "is accepted in %s",
    async (header) => {
      const { key } = await createPair();
      const value = header === "authorization" ? `Bearer ${key.key}` : key.key;
      expect((await post("/v1/messages", { [header]: value })).status).toBe(200);
    },
  );

  it("A2 is accepted in the query, and is not forwarded there", async () => {
    const { account, key } = await createPair();
    expect((await post(`/v1/messages?beta=true&key=${key.key}`, {})).status).toBe(200);
    const [entry] = await upstream.log(account.secret);
    expect(entry?.path).toBe("/v1/messages?beta=true");
  });

  it("is found behind a stale credential of another kind", async () => {
    const { key } = await createPair();
    const headers = { "x-api-key": "sk-ant-stale", authorization: `Bearer ${key.key}` };
    expect((await post("/v1/messages", headers)).status).toBe(200);
  });

  it("A2 is taken from the first place that has one, and that one is final", async () => {
    const { key } = await createPair();
    const wrong = `cr_${"0".repeat(64)}`;
    expect(
      (await post("/v1/messages", { "x-api-key": wrong, authorization: `Bearer ${key.key}` })).status,
    ).toBe(401);
    expect(
      (await post("/v1/messages", { "x-api-key": key.key, authorization: `Bearer ${wrong}` })).status,
    ).toBe(200);
  });

  it.each([
    ["none", {}],
    ["an empty one", { "x-api-key": "" }],
    ["one of another prefix", { "x-api-key": "sk-ant-something" }],
    ["the right prefix and a wrong body", { "x-api-key": "cr_short" }],
    ["an unknown one", { "x-api-key": `cr_${"a".repeat(64)}` }],
    ["one with upper-case digits", { "x-api-key": `cr_${"A".repeat(64)}` }],
    ["one of a megabyte", { "x-api-key": `cr_${"a".repeat(1_000_000)}` }],
  ])("is refused as Anthropic would when it is %s", async (_, headers) => {
    const response = await post("/v1/messages", headers);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ type: "error", error: { type: "authentication_error" } });
  });
});

/** What KV holds of a key, by name. */
async function snapshotsOf(key: { readonly id: string }): Promise<[string, string][]> {
  const { keys } = await env.KV.list({ prefix: "key:" });
  const entries = await Promise.all(keys.map(async ({ name }) => [name, await env.KV.get(name)] as const));
  return entries.flatMap(([name, value]) => (value?.includes(key.id) === true ? [[name, value]] : []));
}

describe("2: a key's states", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  const setNow = (at: number) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(at);
  };

  it("refuses a disabled key at once, although the edge still has it cached", async () => {
    const { key } = await createPair();
    expect((await call(key)).status).toBe(200);
    await admin("PATCH", `/keys/${key.id}`, { enabled: false });
    const response = await call(key);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({
      error: { type: "authentication_error", message: "Invalid API key" },
    });
    await admin("PATCH", `/keys/${key.id}`, { enabled: true });
    expect((await call(key)).status).toBe(200);
  });

  it("refuses a deleted key, and keeps what it used", async () => {
    const { key } = await createPair();
    expect((await call(key)).status).toBe(200);
    expect((await admin("DELETE", `/keys/${key.id}`)).status).toBe(204);
    expect((await call(key)).status).toBe(401);
    expect(await usageOf(key)).toHaveLength(1);
  });

  it("A3 F22 refuses a revoked key even where KV still has its snapshot", async () => {
    const { key } = await createPair();
    expect((await call(key)).status).toBe(200);
    const before = await snapshotsOf(key);
    await admin("DELETE", `/keys/${key.id}`);
    for (const [name, value] of before) await env.KV.put(name, value);
    expect((await call(key)).status).toBe(401);
  });

  it("lets the old key go and the new one in after rotation", async () => {
    const { key } = await createPair();
    const rotated = await (await admin("POST", `/keys/${key.id}/rotate`)).json<{ key: string }>();
    expect((await call(key)).status).toBe(401);
    expect((await call(rotated)).status).toBe(200);
  });

  it("refuses a text that was rotated out even where KV still has its snapshot", async () => {
    const { key } = await createPair();
    expect((await call(key)).status).toBe(200);
    const before = await snapshotsOf(key);
    await admin("POST", `/keys/${key.id}/rotate`);
    for (const [name, value] of before) await env.KV.put(name, value);
    expect((await call(key)).status).toBe(401);
  });

  it("ends at a fixed date", async () => {
    const end = Date.now() + 60_000;
    const { key } = await createPair({}, { expiresAt: end });
    expect((await call(key)).status).toBe(200);
    setNow(end);
    expect((await call(key)).status).toBe(401);
  });

  it.each([
    ["hours", 3_600_000],
    ["days", 86_400_000],
  ])("begins its lifetime of two %s at first use, not before", async (unit, unitMs) => {
    const { key } = await createPair({}, { activation: { amount: 2, unit } });
    const firstUse = Date.now() + 40 * 86_400_000;
    setNow(firstUse);
    expect((await call(key)).status).toBe(200);
    setNow(firstUse + 2 * unitMs - 1000);
    expect((await call(key)).status).toBe(200);
    setNow(firstUse + 2 * unitMs);
    expect((await call(key)).status).toBe(401);
  });

  it("reaches no object and no upstream with an unknown key", async () => {
    const { accounts } = await createPool([{}]);
    await post("/v1/messages", { "x-api-key": `cr_${"b".repeat(64)}` });
    expect((await upstream.statsOf(accounts[0]?.secret ?? "")).requests).toBe(0);
  });
});
