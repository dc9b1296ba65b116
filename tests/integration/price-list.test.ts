/** Prices from the public list: fetched, looked at, and taken or left where they are. Security cases E4 and F29. */
import { findProvider } from "@pydantic/genai-prices";
import { beforeEach, describe, expect, it } from "vitest";
import type { Repriced } from "../../worker/admin/reprice.ts";
import { rebuildSnapshots } from "../../worker/cron/rebuild-snapshots.ts";
import { refreshPricesDaily } from "../../worker/cron/refresh-prices.ts";
import type { Signal } from "../../worker/domain/notice.ts";
import { parseEnv } from "../../worker/env.ts";
import { refreshPrices } from "../../worker/price-list/refresh.ts";
import { SOURCES } from "../../worker/pricing/sources.ts";
import { PRICE_TABLE, type PricedModel } from "../../worker/pricing/table.ts";
import { findPriceList, putPriceList } from "../../worker/storage/price-list.ts";
import type { ListOrder } from "../prices/orders.ts";
import { answer } from "../upstream/behaviour.ts";
import { book, recordAt } from "./setup/ledger.ts";
import { call, createPair, env, relayWith, stream, unique, upstream, usageOf, admin } from "./setup/relay.ts";

const MODEL = "claude-sonnet-4-5";
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Listed = { id: string; models: { id: string; prices: unknown; [field: string]: unknown }[] }[];

const published = (): Listed =>
  JSON.parse(JSON.stringify(SOURCES.map(({ provider }) => findProvider({ providerId: provider })))) as Listed;

/** The list with another price for one model, in dollars per million tokens. */
function listWith(output: number, input = 3): Listed {
  const list = published();
  const model = list.flatMap(({ models }) => models).find(({ id }) => id === MODEL);
  if (model === undefined) throw new Error(`no ${MODEL}`);
  model.prices = { input_mtok: input, output_mtok: output, cache_read_mtok: 0.3, web_searches_kcount: 10 };
  return list;
}

/** An address that answers so. */
async function listAt(order: ListOrder): Promise<string> {
  const url = `${env.TEST_PRICES_URL}/${unique("list")}`;
  await fetch(url, { method: "PUT", body: JSON.stringify(order) });
  return url;
}
const ofList = (list: unknown) => listAt({ text: JSON.stringify(list) });

const signals: Signal[] = [];
const NOTIFIER = {
  idFromName: () => "notifier",
  get: () => ({
    take: async (taken: readonly Signal[]) => {
      signals.push(...taken);
    },
  }),
};
const envAt = (url: string, variables: object = {}) =>
  parseEnv({ ...env, PRICES_URL: url, NOTIFIER, ...variables });

const context = (now = Date.now()) => ({ kv: env.KV, now, waitUntil: () => undefined });
const refreshFrom = (url: string, options: { now?: number; timeoutMs?: number } = {}) =>
  refreshPrices({ env: envAt(url), ...context(options.now), ...options });

interface Prices {
  readonly version: string;
  readonly source: string;
  readonly fetchedAt: number | null;
  readonly triedAt: number | null;
  readonly error: string | null;
  readonly models: readonly PricedModel[];
}
const prices = async () => (await admin("GET", "/prices")).json<Prices>();
const outputPrice = ({ models }: Prices) =>
  models.find(({ id }) => id === MODEL)?.prices.at(-1)?.rates.output;

/** As if nothing had ever been fetched. */
beforeEach(async () => {
  signals.length = 0;
  await env.DB.prepare(
    "UPDATE price_list SET version = version + 1, body = NULL, fetched_at = NULL, tried_at = 0, bundle = '', error = NULL, told = NULL",
  ).run();
  const row = await env.DB.prepare("SELECT version FROM price_list").first<{ version: number }>();
  await putPriceList({ version: row?.version ?? 0, fetched: null }, context());
});

async function tokenAt(relay: ReturnType<typeof relayWith>): Promise<string> {
  const response = await relay("/admin/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "admin", password: "password-of-the-integration-tests" }),
  });
  return (await response.json<{ token: string }>()).token;
}

describe("refreshPrices", () => {
  it("takes a good list, under a version of its own, and it holds for everybody", async () => {
    expect(await prices()).toMatchObject({ version: PRICE_TABLE.version, fetchedAt: null, triedAt: null });
    const refreshed = await refreshFrom(await ofList(listWith(20)), { now: Date.parse("2026-11-20") });
    expect(refreshed.kind).toBe("changed");
    const shown = await prices();
    expect(shown.version).toMatch(/^genai-prices-2026-11-20\+[0-9a-f]{8}$/);
    expect(shown).toMatchObject({
      fetchedAt: Date.parse("2026-11-20"),
      error: null,
      source: parseEnv(env).PRICES_URL,
    });
    expect(outputPrice(shown)).toBe(20_000_000);
    expect(shown.models).toHaveLength(PRICE_TABLE.models.length);
    expect((await findPriceList(context())).fetched?.table.version).toBe(shown.version);
  });

  it("does not show what may be a secret in the address", async () => {
    await refreshFrom(await ofList(listWith(20)));
    const relay = relayWith({ PRICES_URL: "https://me:canary@prices.example/list.json?token=canary" });
    const headers = { authorization: `Bearer ${await tokenAt(relay)}` };
    const text = await (await relay("/admin/prices", { headers })).text();
    expect(text).toContain('"https://prices.example/list.json"');
    expect(text).not.toContain("canary");
  });

  it("leaves the version where nothing changed", async () => {
    const url = await ofList(listWith(21));
    const first = await refreshFrom(url);
    expect(await refreshFrom(url, { now: Date.now() + DAY_MS })).toEqual({ ...first, kind: "unchanged" });
    const bundle = await refreshFrom(await ofList(published()));
    expect(bundle).toMatchObject({ kind: "changed" });
    expect((await prices()).models).toEqual(PRICE_TABLE.models);
  });

  it.each([
    ["garbage", { text: "<html>" }, "It is not JSON."],
    ["another form", { text: '{"models":[]}' }, "It has another form"],
    ["an error", { status: 500, text: "[]" }, "It answered with HTTP 500."],
    ["a redirect", { status: 302, headers: { location: env.TEST_PRICES_URL } }, "It answered with HTTP 302."],
    ["too much", { padding: 6_000_000, text: "[]" }, "It is larger than"],
    [
      "too much, by its own word",
      { headers: { "content-length": "6000000" }, padding: 6_000_000 },
      "It is larger than",
    ],
    ["nothing for a long time", { delayMs: 3000, text: "[]" }, "It did not come in time."],
  ] as const)("E4 stays with what it has where the address answers with %s", async (_, order, error) => {
    await refreshFrom(await ofList(listWith(22)));
    const before = await prices();
    const refreshed = await refreshFrom(await listAt(order), { timeoutMs: 1500 });
    expect(refreshed).toMatchObject({ kind: "failed", error: expect.stringContaining(error) as string });
    const after = await prices();
    expect(after.error).toContain(error);
    expect([after.version, after.models]).toEqual([before.version, before.models]);
    expect(signals).toEqual([]);
  });

  it("does not go inside where that is not allowed", async () => {
    const inside = envAt(await ofList(listWith(23)), { ALLOW_PRIVATE_UPSTREAMS: "false" });
    expect(await refreshPrices({ env: inside, ...context() })).toMatchObject({ kind: "failed" });
    expect((await prices()).version).toBe(PRICE_TABLE.version);
  });

  it("refuses a list in which a price jumps, as a whole, and tells people once", async () => {
    const url = await ofList(listWith(150.1));
    for (let time = 0; time < 3; time++) {
      expect(await refreshFrom(url)).toMatchObject({
        kind: "refused",
        error: expect.stringContaining(MODEL) as string,
      });
    }
    expect((await prices()).version).toBe(PRICE_TABLE.version);
    expect(signals.map(({ notice }) => notice.kind)).toEqual(["system_error"]);
    expect(signals[0]?.notice.lines.join()).toContain(MODEL);
    // After a good one it is news again.
    await refreshFrom(await ofList(listWith(16)));
    await refreshFrom(url);
    expect(signals).toHaveLength(2);
  });

  it("refuses what creeps away from the bundled price step by step", async () => {
    expect(await refreshFrom(await ofList(listWith(100)))).toMatchObject({ kind: "changed" });
    expect(await refreshFrom(await ofList(listWith(500)))).toMatchObject({ kind: "refused" });
  });

  it("refuses a list from which most models vanished", async () => {
    const list = published().map((provider) => ({ ...provider, models: provider.models.slice(0, 5) }));
    expect(await refreshFrom(await ofList(list))).toMatchObject({
      kind: "refused",
      error: expect.stringContaining("models are gone") as string,
    });
  });
});

describe("the daily run", () => {
  const run = (url: string, now: number) => refreshPricesDaily(envAt(url), now);
  const triedAt = async () => (await prices()).triedAt;

  it("comes once a day, and after a failure once an hour", async () => {
    const start = Date.now();
    const good = await ofList(listWith(24));
    await run(good, start);
    await run(good, start + DAY_MS - 1);
    expect(await triedAt()).toBe(start);
    await run(await listAt({ status: 503 }), start + DAY_MS);
    expect(await prices()).toMatchObject({ triedAt: start + DAY_MS, fetchedAt: start });
    await run(good, start + DAY_MS + HOUR_MS - 1);
    expect(await triedAt()).toBe(start + DAY_MS);
    await run(good, start + DAY_MS + HOUR_MS);
    expect(await prices()).toMatchObject({ triedAt: start + DAY_MS + HOUR_MS, error: null });
  });

  it("is not run twice by two at once", async () => {
    const [first, second] = [await ofList(listWith(25)), await ofList(listWith(26))];
    await Promise.all([run(first, Date.now()), run(second, Date.now())]);
    const row = await env.DB.prepare("SELECT version FROM price_list").first<{ version: number }>();
    await run(first, Date.now() + 1000);
    expect(await env.DB.prepare("SELECT version FROM price_list").first()).toEqual(row);
  });

  it("does nothing where prices are not to be fetched", async () => {
    await run("off", Date.now());
    expect(await triedAt()).toBeNull();
  });
});

describe("POST /admin/prices/refresh", () => {
  it("says so where prices are not to be fetched, and a list from before no longer counts", async () => {
    await refreshFrom(await ofList(listWith(27)));
    const relay = relayWith({ PRICES_URL: "off" });
    const headers = { authorization: `Bearer ${await tokenAt(relay)}` };
    expect((await relay("/admin/prices/refresh", { method: "POST", headers })).status).toBe(400);
    const shown = await (await relay("/admin/prices", { headers })).json<Prices>();
    expect(shown.version).toBe(PRICE_TABLE.version);
    const { account, key } = await createPair();
    await upstream.set(account.secret, answer());
    await (await call(key, { relay })).text();
    expect((await usageOf(key))[0]?.priceVersion).toBe(PRICE_TABLE.version);
  });
});

describe("requests", () => {
  it("cost what the fetched list says, and records name its version", async () => {
    await refreshFrom(await ofList(listWith(28, 4)));
    const { account, key } = await createPair();
    await upstream.set(account.secret, answer({ usage: { input_tokens: 1000, output_tokens: 10 } }));
    await (await call(key)).text();
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ cost: 1000 * 4000 + 10 * 28_000, priceVersion: (await prices()).version });
  });

  it("leave a price of the deployment's own where it is", async () => {
    const own = { input: 1, output: 1 };
    await admin("PUT", `/prices/${MODEL}`, own);
    await refreshFrom(await ofList(listWith(29)));
    const shown = await prices();
    expect(outputPrice(shown)).toBe(1_000_000);
    expect(shown.version).toMatch(/^genai-prices-\d{4}-\d\d-\d\d\+[0-9a-f]{8}\+own\.\d+$/);
    await admin("DELETE", `/prices/${MODEL}`);
    expect(outputPrice(await prices())).toBe(29_000_000);
  });

  it("F29 keep the price that they began with when the list changes in the middle", async () => {
    await refreshFrom(await ofList(listWith(30)));
    const before = (await prices()).version;
    const { account, key } = await createPair();
    const gate = unique("gate");
    const inside = { usage: { input_tokens: 1000, output_tokens: 10 } };
    await upstream.set(account.secret, { kind: "gateInside", gate, answer: inside, afterEvents: 2 });
    const response = await stream(key);
    await refreshFrom(await ofList(listWith(60, 6)));
    expect((await prices()).version).not.toBe(before);
    await upstream.release(gate);
    await response.text();
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ cost: 1000 * 3000 + 10 * 30_000, priceVersion: before });
    await upstream.set(account.secret, answer(inside));
    await (await call(key)).text();
    expect((await usageOf(key, 2)).map(({ priceVersion }) => priceVersion)).toContain(
      (await prices()).version,
    );
  });

  it("are priced anew by the list in force", async () => {
    const now = Date.parse("2026-03-10T10:00:00Z");
    await book([recordAt(now, { model: MODEL })]);
    await refreshFrom(await ofList(listWith(31)));
    const order = { from: "2026-03-10", to: "2026-03-10" };
    const repriced = await (await admin("POST", "/prices/reprice", order)).json<Repriced>();
    expect(repriced).toMatchObject({ changed: 1, priceVersion: (await prices()).version });
  });
});

describe("the snapshot", () => {
  it("comes back into KV when a write of it was lost", async () => {
    await refreshFrom(await ofList(listWith(32)));
    await env.KV.delete("price-list");
    await rebuildSnapshots(parseEnv(env));
    expect(await env.KV.get("price-list")).toContain((await prices()).version);
  });

  it("gives way to a newer bundle", async () => {
    await refreshFrom(await ofList(listWith(33)));
    await env.DB.prepare("UPDATE price_list SET body = json_set(body, '$.bundle', 'older')").run();
    expect((await prices()).version).toBe(PRICE_TABLE.version);
  });
});
