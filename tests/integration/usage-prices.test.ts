/** A deployment's own prices: what new requests cost, and what old ones would have. */
import { describe, expect, it } from "vitest";
import type { Repriced } from "../../worker/admin/reprice.ts";
import { rebuildSnapshots } from "../../worker/cron/rebuild-snapshots.ts";
import type { PriceOverride } from "../../worker/domain/price-override.ts";
import type { AuditReport } from "../../worker/domain/usage-audit.ts";
import type { UsageTotals } from "../../worker/domain/usage-sum.ts";
import { parseEnv } from "../../worker/env.ts";
import { PRICE_TABLE } from "../../worker/pricing/table.ts";
import { answer } from "../upstream/behaviour.ts";
import { book, recordAt } from "./setup/ledger.ts";
import { admin, call, createPair, env, unique, upstream, usageOf } from "./setup/relay.ts";

interface Prices {
  readonly version: string;
  readonly source: string;
  readonly overrides: readonly PriceOverride[];
  readonly models: readonly { readonly id: string }[];
}
const prices = async () => (await admin("GET", "/prices")).json<Prices>();
const put = (model: string, body: object) => admin("PUT", `/prices/${encodeURIComponent(model)}`, body);
const modelOf = (name: string) => unique(name).toLowerCase();

describe("/admin/prices", () => {
  it("shows the list in force, with its version and where it comes from", async () => {
    const { version, source, overrides, models } = await prices();
    expect([version, overrides]).toEqual([PRICE_TABLE.version, []]);
    expect(source).toMatch(/^https:/);
    expect(models.map(({ id }) => id)).toContain("claude-sonnet-4-5");
  });

  it("takes prices of its own, whatever the model is called, and gives them up again", async () => {
    const model = modelOf("vendor/model:large");
    const answered = await put(model.toUpperCase(), { input: 2, output: 8, cacheRead: 0.2 });
    expect(await answered.json()).toEqual({
      model,
      input: 2,
      output: 8,
      cacheWrite5m: 2,
      cacheWrite1h: 2,
      cacheRead: 0.2,
      webSearch: 0,
    });
    const { version, overrides } = await prices();
    expect(version).toMatch(/\+own\.\d+$/);
    expect(overrides.map((each) => each.model)).toContain(model);
    expect((await admin("DELETE", `/prices/${encodeURIComponent(model)}`)).status).toBe(204);
    expect((await admin("DELETE", `/prices/${encodeURIComponent(model)}`)).status).toBe(404);
    expect((await prices()).overrides).toEqual([]);
  });

  it.each([
    ["a negative price", { input: -1, output: 1 }],
    ["a price that is no whole number of pico-dollars", { input: 0.0000001, output: 1 }],
    ["a price past all reason", { input: 1e9, output: 1 }],
    ["a missing price", { input: 1 }],
    ["a misspelt field", { input: 1, output: 1, cacheReads: 1 }],
  ])("refuses %s", async (_, body) => {
    expect((await put("any", body)).status).toBe(400);
  });
});

describe("own prices", () => {
  it("apply to the next request, and are what its record names", async () => {
    const model = modelOf("mystery");
    const { account, key } = await createPair();
    await upstream.set(account.secret, answer({ model, usage: { input_tokens: 1000, output_tokens: 10 } }));
    await put(model, { input: 2, output: 100 });
    const { version } = await prices();
    await (await call(key, { body: { model } })).text();
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ model, cost: 1000 * 2000 + 10 * 100_000, priceVersion: version });
    await admin("DELETE", `/prices/${model}`);
  });

  it("come back into KV when a write of theirs was lost", async () => {
    const model = modelOf("lost");
    await put(model, { input: 1, output: 1 });
    await env.KV.delete("prices");
    await rebuildSnapshots(parseEnv(env));
    expect(await env.KV.get("prices")).toContain(model);
    await admin("DELETE", `/prices/${model}`);
  });
});

describe("POST /admin/prices/reprice", () => {
  const JULY = { from: "2026-07-01", to: "2026-07-31" };
  const reprice = async (body: object) => {
    const response = await admin("POST", "/prices/reprice", body);
    expect(response.status).toBe(200);
    return response.json<Repriced>();
  };
  const totals = async (model: string) =>
    (await admin("GET", `/usage/summary?from=2026-07-01&to=2026-07-31&model=${model}`)).json<UsageTotals>();

  it("changes records and sums together, once", async () => {
    const model = modelOf("unpriced");
    const start = Date.parse("2026-07-10T10:00:00Z");
    const records = Array.from({ length: 2100 }, (_, index) =>
      recordAt(start + index * 60_000, { model, priceVersion: null, cost: 0 }),
    );
    await book([...records, recordAt(Date.parse("2026-08-02"), { model, priceVersion: null, cost: 0 })]);
    expect(await totals(model)).toMatchObject({ cost: 0, unpriced: 2100 });

    await put(model, { input: 1, output: 2 });
    const { version } = await prices();
    const cost = 2100 * (10 * 1000 + 20 * 2000);
    const first = await reprice(JULY);
    expect(first).toEqual({
      priceVersion: version,
      records: 2100,
      changed: 2100,
      costBefore: 0,
      costAfter: cost,
      next: null,
    });
    expect(await totals(model)).toMatchObject({ cost, unpriced: 0 });
    const list = await (
      await admin("GET", `/usage?model=${model}&limit=1`)
    ).json<{ items: { priceVersion: string | null }[] }>();
    // The one of August, which was not asked for.
    expect(list.items).toMatchObject([{ priceVersion: null }]);

    expect(await reprice(JULY)).toMatchObject({
      records: 2100,
      changed: 0,
      costBefore: cost,
      costAfter: cost,
    });
    expect(await totals(model)).toMatchObject({ cost, unpriced: 0 });
    const audit = await (await admin("POST", "/usage/reconcile", JULY)).json<AuditReport>();
    expect(audit).toMatchObject({ total: 0 });
    expect(audit.groups).toBeGreaterThan(0);
    await admin("DELETE", `/prices/${model}`);
  });

  it("moves nothing twice when two run at once", async () => {
    const model = modelOf("twice");
    const start = Date.parse("2026-05-10T10:00:00Z");
    await book(Array.from({ length: 300 }, (_, index) => recordAt(start + index, { model })));
    await put(model, { input: 3, output: 3 });
    const MAY = { from: "2026-05-10", to: "2026-05-10" };
    await Promise.all([reprice(MAY), reprice(MAY), reprice(MAY)]);
    const audit = await (await admin("POST", "/usage/reconcile", MAY)).json<AuditReport>();
    expect(audit).toMatchObject({ total: 0, groups: 2 });
    await admin("DELETE", `/prices/${model}`);
  });

  it("takes a month at a time", async () => {
    const order = { from: "2026-01-01", to: "2026-12-31" };
    expect((await admin("POST", "/prices/reprice", order)).status).toBe(400);
  });
});
