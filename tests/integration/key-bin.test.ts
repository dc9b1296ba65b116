/** The bin: a deleted key is refused like one that never was, comes back whole, and goes for ever after a month. */
import { env as rawEnv } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { emptyBin, tellKeys } from "../../worker/cron/finish-keys.ts";
import { rebuildSnapshots } from "../../worker/cron/rebuild-snapshots.ts";
import { parseEnv } from "../../worker/env.ts";
import { keyConfigSchema, type KeyView } from "../../worker/domain/key.ts";
import { admin, call, createKey, createPair, env, keyStub, keyView, unique, usageOf } from "./setup/relay.ts";
import { costsEach, settledStatus } from "./setup/limits.ts";

const DAY_MS = 86_400_000;
const run = parseEnv(rawEnv);

const listed = async (query: string) => {
  const { items } = await (await admin("GET", `/keys?limit=200&${query}`)).json<{ items: KeyView[] }>();
  return items.map(({ id }) => id);
};
const statusOf = async (method: string, path: string, body?: unknown) =>
  (await admin(method, path, body)).status;

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the bin", () => {
  it("has what was deleted, and the list has not", async () => {
    const key = await createKey();
    expect(await statusOf("DELETE", `/keys/${key.id}`)).toBe(204);
    expect(await listed("")).not.toContain(key.id);
    expect(await listed("deleted=true")).toContain(key.id);
    expect((await keyView(key)).deletedAt).toBeGreaterThan(0);
  });

  it("gives a key back with its text and what it had spent", async () => {
    const { account, key } = await createPair({}, { totalCost: 10 });
    await costsEach(account, 2);
    await call(key);
    const { limits } = await settledStatus(key);
    await admin("DELETE", `/keys/${key.id}`);
    expect((await call(key)).status).toBe(401);
    const restored = await (await admin("POST", `/keys/${key.id}/restore`)).json<KeyView>();
    expect(restored).toMatchObject({ deletedAt: null, status: { totalRequests: 1 } });
    expect(limits[0]?.used).toBeGreaterThan(0);
    expect(restored.status?.limits).toEqual(limits);
    expect((await call(key)).status).toBe(200);
  });

  it("F22 keeps its keys out even where KV still has their snapshots", async () => {
    const { key } = await createPair();
    expect((await call(key)).status).toBe(200);
    const { keys } = await env.KV.list({ prefix: "key:" });
    const before = await Promise.all(keys.map(async ({ name }) => [name, await env.KV.get(name)] as const));
    await admin("DELETE", `/keys/${key.id}`);
    for (const [name, value] of before) await env.KV.put(name, value ?? "");
    const refused = await call(key);
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ error: { message: "Invalid API key" } });
  });

  it("lets nothing be done to a key but looking, restoring and deleting it", async () => {
    const key = await createKey({ expiresAt: Date.now() + DAY_MS });
    await admin("DELETE", `/keys/${key.id}`);
    expect(await statusOf("PATCH", `/keys/${key.id}`, { name: "x" })).toBe(409);
    expect(await statusOf("POST", `/keys/${key.id}/rotate`)).toBe(409);
    expect(await statusOf("POST", `/keys/${key.id}/extend`, { amount: 1, unit: "days" })).toBe(409);
    expect(await statusOf("POST", `/keys/${key.id}/reset-usage`)).toBe(409);
    expect(await statusOf("DELETE", `/keys/${key.id}`)).toBe(409);
    expect(await statusOf("POST", `/keys/${key.id}/restore`)).toBe(200);
    expect(await statusOf("POST", `/keys/${key.id}/restore`)).toBe(409);
  });

  it("keeps the ledger's records under the key's name, and those of a key that is gone under its id", async () => {
    const { key } = await createPair({}, { name: unique("remembered") });
    await call(key);
    await usageOf(key);
    await admin("DELETE", `/keys/${key.id}`);
    expect((await usageOf(key))[0]?.keyName).toBe(key.name);
    expect(await statusOf("DELETE", `/keys/${key.id}?forever=true`)).toBe(204);
    expect((await usageOf(key))[0]).toMatchObject({ keyId: key.id, keyName: null });
    expect(await statusOf("GET", `/keys/${key.id}`)).toBe(404);
  });

  it("F38 keeps a key revoked that an older copy of the database brings back", async () => {
    const { key } = await createPair();
    const row = await env.DB.prepare("SELECT * FROM relay_key WHERE id = ?").bind(key.id).first();
    expect(await statusOf("DELETE", `/keys/${key.id}?forever=true`)).toBe(204);
    const { name, hash, config, created_at } = row as Record<string, string>;
    await env.DB.prepare("INSERT INTO relay_key (id, name, hash, config, created_at) VALUES (?, ?, ?, ?, ?)")
      .bind(key.id, name, hash, config, created_at)
      .run();
    await rebuildSnapshots(run);
    expect((await call(key)).status).toBe(401);
    expect(await statusOf("PATCH", `/keys/${key.id}`, { concurrency: 3 })).toBe(200);
    expect((await call(key)).status).toBe(401);
  });

  it("is emptied by hand, and of what is older than 30 days by itself", async () => {
    const [old, young] = [await createKey(), await createKey()];
    await admin("DELETE", `/keys/${old.id}`);
    await admin("DELETE", `/keys/${young.id}`);
    const age = `UPDATE relay_key SET config = json_set(config, '$.deletedAt', ?) WHERE id = ?`;
    const now = Date.now();
    await env.DB.prepare(age)
      .bind(now - 30 * DAY_MS - 1, old.id)
      .run();
    await env.DB.prepare(age)
      .bind(now - 30 * DAY_MS, young.id)
      .run();
    await emptyBin(run, now);
    const inBin = await listed("deleted=true");
    expect(inBin).toContain(young.id);
    expect(inBin).not.toContain(old.id);
    const kept = await createKey();
    expect(await (await admin("DELETE", "/keys/bin")).json()).toEqual({ deleted: inBin.length, left: 0 });
    expect(await listed("deleted=true")).toEqual([]);
    expect(await listed("")).toContain(kept.id);
  });
});

describe("a change that nobody was told of", () => {
  it("reaches the key and the edge within a run of the job, and only once", async () => {
    const { key } = await createPair();
    expect((await call(key)).status).toBe(200);
    // What a worker leaves that dies after its transaction.
    const row = await env.DB.prepare("SELECT config FROM relay_key WHERE id = ?")
      .bind(key.id)
      .first("config");
    const config = keyConfigSchema.parse(JSON.parse(String(row)));
    const changed = { ...config, enabled: false, updatedAt: config.updatedAt + 1 };
    await env.DB.prepare("UPDATE relay_key SET config = ?, untold = 1 WHERE id = ?")
      .bind(JSON.stringify(changed), key.id)
      .run();
    expect((await call(key)).status).toBe(200);
    expect(await tellKeys(run, Date.now())).toBe(1);
    expect((await call(key)).status).toBe(401);
    expect(await tellKeys(run, Date.now())).toBe(0);
  });

  it("never undoes a newer one", async () => {
    const { key } = await createPair();
    await admin("PATCH", `/keys/${key.id}`, { enabled: false });
    const row = await env.DB.prepare("SELECT config FROM relay_key WHERE id = ?")
      .bind(key.id)
      .first("config");
    const config = keyConfigSchema.parse(JSON.parse(String(row)));
    const object = keyStub(key) as unknown as {
      configure(config: unknown): Promise<void>;
    };
    await object.configure({ ...config, enabled: true, updatedAt: config.updatedAt - 1 });
    expect((await call(key)).status).toBe(401);
  });
});

describe("changes at the same time", () => {
  it("are all made: none overwrites what another changed", async () => {
    const key = await createKey();
    const changes = [
      { description: "x" },
      { concurrency: 4 },
      { dailyCost: 5 },
      { weeklyCost: 6 },
      { totalCost: 7 },
    ];
    const answers = await Promise.all(changes.map((change) => statusOf("PATCH", `/keys/${key.id}`, change)));
    expect(answers).toEqual([200, 200, 200, 200, 200]);
    const all = changes.reduce<Record<string, unknown>>((sum, change) => ({ ...sum, ...change }), {});
    expect(await keyView(key)).toMatchObject(all);
  });
});
