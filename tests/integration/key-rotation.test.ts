/** A key's old text ends at once, or exactly when its time is over; a key's end can be made later, its budgets begun anew. */
import { env as rawEnv } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { forgetOldTexts } from "../../worker/cron/finish-keys.ts";
import { rebuildSnapshots } from "../../worker/cron/rebuild-snapshots.ts";
import type { KeyView } from "../../worker/domain/key.ts";
import { parseEnv } from "../../worker/env.ts";
import { costsEach, setNow, settledStatus } from "./setup/limits.ts";
import { admin, call, createKey, createPair, env, fetchRelay, keyView, usageOf } from "./setup/relay.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const run = parseEnv(rawEnv);

async function rotate(key: { readonly id: string }, graceMinutes?: number) {
  const response = await admin("POST", `/keys/${key.id}/rotate`, graceMinutes && { graceMinutes });
  expect(response.status).toBe(200);
  return response.json<KeyView & { readonly key: string }>();
}

const entriesOf = async (key: { readonly id: string }) => {
  const { keys } = await env.KV.list({ prefix: "key:" });
  const entries = await Promise.all(keys.map(async ({ name }) => [name, await env.KV.get(name)] as const));
  return entries.filter(([, value]) => value?.includes(key.id));
};

const statusesOf = (...keys: readonly { readonly key: string }[]) =>
  Promise.all(keys.map(async (key) => (await call(key)).status));

afterEach(() => {
  vi.useRealTimers();
});

describe("a rotation with grace", () => {
  it("lets both texts in until it is over, to the ms", async () => {
    const { key } = await createPair();
    const rotated = await rotate(key, 10);
    const until = rotated.previousUntil ?? 0;
    expect(until).toBeGreaterThan(Date.now() + 9 * MINUTE_MS);
    expect(await statusesOf(key, rotated)).toEqual([200, 200]);
    setNow(until - 1);
    expect(await statusesOf(key, rotated)).toEqual([200, 200]);
    setNow(until);
    expect(await statusesOf(key, rotated)).toEqual([401, 200]);
  });

  it("F22 ends the old text even where KV still has its snapshot, for the holder's own questions, too", async () => {
    const { key } = await createPair();
    const { previousUntil } = await rotate(key, 1);
    const before = await entriesOf(key);
    expect(before).toHaveLength(2);
    setNow(previousUntil ?? 0);
    for (const [name, value] of before) await env.KV.put(name, value ?? "");
    expect(await statusesOf(key)).toEqual([401]);
    const info = await fetchRelay("/v1/key-info", { headers: { "x-api-key": key.key } });
    expect(info.status).toBe(401);
  });

  it("made twice lets the newest old text in, and no older one", async () => {
    const { key } = await createPair();
    const second = await rotate(key, 60);
    const third = await rotate(second, 60);
    expect(await statusesOf(key, second, third)).toEqual([401, 200, 200]);
    const fourth = await rotate(third);
    expect(await statusesOf(key, second, third, fourth)).toEqual([401, 401, 401, 200]);
  });

  it("follows what is changed of the key meanwhile", async () => {
    const { key } = await createPair();
    await rotate(key, 60);
    await admin("PATCH", `/keys/${key.id}`, { enabled: false });
    expect(await statusesOf(key)).toEqual([401]);
    await admin("PATCH", `/keys/${key.id}`, { enabled: true, binding: { kind: "group", group: "nobody" } });
    expect(await statusesOf(key)).toEqual([529]);
  });

  it("comes out of the bin as it went in, and of an empty KV as it was", async () => {
    const { key } = await createPair();
    const rotated = await rotate(key, 60);
    await admin("DELETE", `/keys/${key.id}`);
    expect(await statusesOf(key, rotated)).toEqual([401, 401]);
    expect(await entriesOf(key)).toEqual([]);
    await admin("POST", `/keys/${key.id}/restore`);
    expect(await statusesOf(key, rotated)).toEqual([200, 200]);
    for (const [name] of await entriesOf(key)) await env.KV.delete(name);
    await rebuildSnapshots(run);
    expect(await entriesOf(key)).toHaveLength(2);
  });

  it("leaves nothing behind once the job has run", async () => {
    const { key } = await createPair();
    const { previousUntil } = await rotate(key, 1);
    await forgetOldTexts(run, (previousUntil ?? 0) - 1);
    expect(await entriesOf(key)).toHaveLength(2);
    await forgetOldTexts(run, previousUntil ?? 0);
    expect(await entriesOf(key)).toHaveLength(1);
    expect((await keyView(key)).previousUntil).toBeNull();
    const row = await env.DB.prepare("SELECT config FROM relay_key WHERE id = ?")
      .bind(key.id)
      .first("config");
    expect(JSON.parse(String(row))).toMatchObject({ previous: null });
  });

  it("is a week at most, and shows no hash", async () => {
    const key = await createKey();
    for (const graceMinutes of [-1, 10_081, 1.5, "5"]) {
      expect((await admin("POST", `/keys/${key.id}/rotate`, { graceMinutes })).status).toBe(400);
    }
    expect((await rotate(key, 10_080)).previousUntil).toBeGreaterThan(Date.now() + 6 * DAY_MS);
    expect(JSON.stringify(await keyView(key))).not.toMatch(/[0-9a-f]{64}/);
    const { items } = await (
      await admin("GET", `/audit?target=${key.id}&action=key.rotate`)
    ).json<{ items: unknown[] }>();
    expect(items).toHaveLength(1);
    expect(JSON.stringify(items)).not.toMatch(/[0-9a-f]{16}/);
  });
});

describe("POST /admin/keys/:id/extend", () => {
  const extend = (key: { readonly id: string }, amount: number, unit: string) =>
    admin("POST", `/keys/${key.id}/extend`, { amount, unit });

  it.each([
    ["hours", 3_600_000],
    ["days", DAY_MS],
    ["months", 30 * DAY_MS],
  ])("adds %s to an end that is to come", async (unit, unitMs) => {
    const end = Date.now() + DAY_MS;
    const key = await createKey({ expiresAt: end });
    expect((await extend(key, 2, unit)).status).toBe(200);
    expect((await keyView(key)).status?.expiresAt).toBe(end + 2 * unitMs);
  });

  it("counts from now for a key that has ended, which then works again", async () => {
    const { key } = await createPair({}, { expiresAt: Date.now() - DAY_MS });
    expect((await call(key)).status).toBe(401);
    const from = Date.now();
    await extend(key, 1, "hours");
    expect((await keyView(key)).status?.expiresAt).toBeGreaterThanOrEqual(from + 3_600_000);
    expect((await call(key)).status).toBe(200);
  });

  it("makes a lifetime that has begun a date, and refuses one that has not, and none at all", async () => {
    const { key } = await createPair({}, { activation: { amount: 1, unit: "days" } });
    expect((await extend(key, 1, "days")).status).toBe(409);
    await call(key);
    const { expiresAt } = (await keyView(key)).status ?? { expiresAt: 0 };
    expect((await extend(key, 1, "days")).status).toBe(200);
    expect((await keyView(key)).status?.expiresAt).toBe((expiresAt ?? 0) + DAY_MS);
    expect((await extend(await createKey(), 1, "days")).status).toBe(409);
    expect((await extend(key, 0, "days")).status).toBe(400);
  });
});

describe("POST /admin/keys/:id/reset-usage", () => {
  it("begins every budget anew, and leaves totals and the ledger", async () => {
    const { account, key } = await createPair({}, { totalCost: 2, dailyCost: 3 });
    await costsEach(account, 5);
    await call(key);
    await settledStatus(key);
    expect((await call(key)).status).toBe(402);
    const response = await admin("POST", `/keys/${key.id}/reset-usage`);
    const { status } = await response.json<KeyView>();
    expect(status?.limits.map(({ used }) => used)).toEqual([0, 0]);
    expect(status?.totalRequests).toBe(1);
    expect(await usageOf(key)).toHaveLength(1);
    await costsEach(account, 0);
    expect((await call(key)).status).toBe(200);
    const path = `/audit?target=${key.id}&action=key.reset_usage`;
    const { items } = await (await admin("GET", path)).json<{ items: { before: unknown }[] }>();
    expect(items[0]?.before).toMatchObject({ used: { total_cost: expect.any(Number) as number } });
  });
});
