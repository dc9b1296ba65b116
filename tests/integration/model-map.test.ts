/** Accounts that ask their upstream for another model than the client named. */
import { describe, expect, it } from "vitest";
import { overloaded, rateLimited } from "../upstream/behaviour.ts";
import {
  accountView,
  admin,
  call,
  createPair,
  createPool,
  eventually,
  fetchRelay,
  MODEL,
  upstream,
  usageOf,
  type TestAccount,
} from "./setup/relay.ts";
import { inSession, newSession, requestsOf } from "./setup/sessions.ts";

const OPUS = "claude-opus-4-5-20251101";
const HAIKU = "claude-haiku-4-5-20251001";

const sha256 = async (text: string) => {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};

/** Of an account whose bodies are recorded. */
const modelsAsked = async ({ secret }: TestAccount) =>
  (await upstream.log(secret)).map(({ body }) => (body as { model: string }).model);

describe("a model map", () => {
  it.each(["/v1/messages", "/v1/messages/count_tokens"])(
    "changes the model's name in the bytes of %s and nothing else",
    async (path) => {
      const { account, key } = await createPair({ modelMap: { [MODEL]: OPUS } });
      await upstream.recordBodies(account.secret);
      const bodyFor = (model: string) =>
        `{ "max_tokens" : 1e2,\n\t"model" :  "${model}" , "unknown_field": [1.50, "é\\u00e9"],\r\n "messages":[{"role":"user","content":"say \\"model\\": \\"${MODEL}\\""}] }`;
      const response = await fetchRelay(path, {
        method: "POST",
        headers: { "x-api-key": key.key },
        body: bodyFor(MODEL),
      });
      expect(response.status).toBe(200);
      const [entry] = await upstream.log(account.secret);
      expect(entry?.bodySha256).toBe(await sha256(bodyFor(OPUS)));
    },
  );

  it("takes the exact name before patterns, and patterns in their order", async () => {
    const { account, key } = await createPair({
      modelMap: { "claude-*": HAIKU, "*sonnet*": OPUS, [OPUS]: "exact" },
    });
    await upstream.recordBodies(account.secret);
    for (const model of [MODEL, OPUS, "gpt-5"])
      expect((await call(key, { body: { model } })).status).toBe(200);
    expect(await modelsAsked(account)).toEqual([HAIKU, "exact", "gpt-5"]);
  });

  it.each([false, true])("leaves both names in the ledger (stream: %s)", async (streamed) => {
    const { key } = await createPair({ modelMap: { [MODEL]: HAIKU } });
    await (await call(key, { body: { stream: streamed } })).text();
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ requestedModel: MODEL, model: HAIKU });
    expect(record?.cost).toBeGreaterThan(0);
  });

  it("is each account's own: the next one is asked by its own map", async () => {
    const { accounts, key } = await createPool([
      { priority: 1, modelMap: { [MODEL]: HAIKU } },
      { priority: 2, modelMap: { [MODEL]: OPUS } },
      { priority: 3 },
    ]);
    for (const { secret } of accounts) {
      await upstream.recordBodies(secret);
      await upstream.next(secret, rateLimited());
    }
    expect((await call(key)).status).toBe(429);
    const logs = await Promise.all(accounts.map(({ secret }) => upstream.log(secret)));
    expect(logs.map(([entry]) => (entry?.body as { model: string }).model)).toEqual([HAIKU, OPUS, MODEL]);
  });

  it("does not hide the models that an account may serve: they are those that clients name", async () => {
    const { accounts, key } = await createPool([
      { priority: 1, models: [OPUS], modelMap: { [MODEL]: OPUS } },
      { priority: 2, models: [MODEL], modelMap: { [MODEL]: OPUS } },
    ]);
    expect((await call(key)).status).toBe(200);
    expect(await requestsOf(accounts)).toEqual([0, 1]);
  });
});

describe("limits of a model family", () => {
  const resetAt = Math.floor(Date.now() / 1000) + 3600;

  it("count by the model that the upstream was asked for", async () => {
    const { account, key } = await createPair({ modelMap: { [MODEL]: OPUS } });
    await upstream.next(account.secret, rateLimited({ resetAt, claim: "seven_day_opus" }));
    expect((await call(key)).status).toBe(429);
    const view = await eventually(
      () => accountView(account),
      ({ status }) => (status?.cooldowns.length ?? 0) > 0,
    );
    expect(view.status?.cooldowns[0]).toMatchObject({ scope: "modelFamily", target: "opus" });
    expect((await call(key)).status).toBe(429);
    expect((await call(key, { body: { model: OPUS } })).status).toBe(429);
    expect((await upstream.statsOf(account.secret)).requests).toBe(1);
    expect((await call(key, { body: { model: "claude-sonnet-4-0" } })).status).toBe(200);
  });

  it("move a session by the family that it is served with", async () => {
    const { accounts, key } = await createPool([
      { priority: 1, modelMap: { [MODEL]: OPUS } },
      { priority: 2 },
    ]);
    const [first] = accounts;
    await upstream.next(first?.secret ?? "", overloaded());
    const session = inSession(newSession());
    expect((await call(key, session)).status).toBe(200);
    await eventually(
      () => accountView({ id: first?.id ?? "" }),
      ({ status }) => status?.sessions === 1,
    );
    await call(key, session);
    expect(await requestsOf(accounts)).toEqual([1, 2]);
  });
});

describe("a model map of a key or a group", () => {
  it("has every account asked for the model on the right, and says so in the routing story", async () => {
    const { account, key } = await createPair({}, { modelMap: { [MODEL]: OPUS }, explain: true });
    await upstream.recordBodies(account.secret);
    const response = await call(key);
    expect(response.headers.get("x-relay-routing")).toContain(`asked for ${OPUS}`);
    expect(await modelsAsked(account)).toEqual([OPUS]);
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ model: OPUS, requestedModel: MODEL });
  });

  it("applies the key's, then the group's, then the account's", async () => {
    const { account, key } = await createPair(
      { modelMap: { "claude-b": "claude-c" } },
      { modelMap: { [MODEL]: "claude-a" } },
    );
    await upstream.recordBodies(account.secret);
    const [group = ""] = account.groups;
    const saved = await admin("PUT", `/groups/${group}`, { modelMap: { "claude-a": "claude-b" } });
    expect(await saved.json()).toMatchObject({ policy: "rendezvous", modelMap: { "claude-a": "claude-b" } });
    await call(key);
    expect(await modelsAsked(account)).toEqual(["claude-c"]);
  });

  it("opens no way to a model that the key may not use", async () => {
    const { key } = await createPair(
      {},
      { modelMap: { [MODEL]: OPUS, [OPUS]: HAIKU }, blockedModels: [OPUS] },
    );
    expect((await call(key)).status).toBe(403);
    expect((await call(key, { body: { model: OPUS } })).status).toBe(200);
  });
});
