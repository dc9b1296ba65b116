/** Sums and records say the same, and where they do not, somebody hears of it. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { auditUsageDaily } from "../../worker/cron/audit-usage.ts";
import type { AuditReport } from "../../worker/domain/usage-audit.ts";
import { parseEnv } from "../../worker/env.ts";
import { book, recordAt } from "./setup/ledger.ts";
import { admin, env } from "./setup/relay.ts";

const DAY_MS = 86_400_000;
const at = (text: string) => Date.parse(text);

const reconcile = async (body: object): Promise<AuditReport> => {
  const response = await admin("POST", "/usage/reconcile", body);
  expect(response.status).toBe(200);
  return response.json<AuditReport>();
};
const run = (sql: string) => env.DB.prepare(sql).run();

beforeEach(async () => {
  for (const table of ["usage_record", "usage_hour", "usage_day"]) await run(`DELETE FROM ${table}`);
});

describe("POST /admin/usage/reconcile", () => {
  const JUNE = { from: "2026-06-01", to: "2026-06-03" };
  const june = () =>
    book([
      // Begins on one day and ends on the next, which is the one it is summed in.
      recordAt(at("2026-06-01T23:59:59Z")),
      recordAt(at("2026-06-02T10:00:00Z"), { tokens: { cacheWrite1h: 5, webSearches: 2 } }),
      recordAt(at("2026-06-02T10:30:00Z"), { outcome: "failed", accountId: null, provider: null }),
      recordAt(at("2026-06-03T10:30:00Z"), { priceVersion: null, protocol: "gemini" }),
    ]);

  it("finds nothing in books that balance", async () => {
    await june();
    // Four groups in the hours, and three in the days: nothing ended on the first.
    expect(await reconcile(JUNE)).toEqual({
      from: at("2026-06-01"),
      to: at("2026-06-04"),
      groups: 7,
      discrepancies: [],
      total: 0,
      repaired: false,
    });
  });

  it("names the sum that differs, and puts it right when asked", async () => {
    await june();
    await run("UPDATE usage_day SET cost = cost + 9 WHERE day = '2026-06-02' AND account_id <> ''");
    const found = await reconcile(JUNE);
    expect(found).toMatchObject({ total: 1, repaired: false });
    expect(found.discrepancies).toEqual([
      {
        step: "day",
        period: "2026-06-02",
        keyId: "key_00000001",
        accountId: "acc_00000001",
        model: "claude-sonnet-4-5",
        protocol: "anthropic",
        provider: "claude-console",
        column: "cost",
        booked: 2009,
        counted: 2000,
      },
    ]);
    expect(await reconcile({ ...JUNE, repair: true })).toMatchObject({ total: 1, repaired: true });
    expect((await reconcile(JUNE)).total).toBe(0);
  });

  it.each([
    [
      "a record without its sums",
      "DELETE FROM usage_hour WHERE hour = 1780482600000 / 3600000 * 3600000",
      "hour",
    ],
    ["sums without a record", "DELETE FROM usage_record WHERE protocol = 'gemini'", "day"],
    [
      "an hour in the wrong place",
      "UPDATE usage_hour SET hour = hour + 3600000 WHERE protocol = 'gemini'",
      "hour",
    ],
  ])("finds %s", async (_, damage, step) => {
    await june();
    await run(damage);
    const { discrepancies } = await reconcile(JUNE);
    expect(discrepancies.map((each) => each.step)).toContain(step);
    await reconcile({ ...JUNE, repair: true });
    expect((await reconcile(JUNE)).total).toBe(0);
  });

  it("goes through a month at a time", async () => {
    const order = { from: "2026-01-01", to: "2026-02-15" };
    expect((await admin("POST", "/usage/reconcile", order)).status).toBe(400);
    expect((await admin("POST", "/usage/reconcile", {})).status).toBe(400);
  });
});

describe("the daily run", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("looks at the last days, once a day, and logs what does not balance", async () => {
    const log = vi.spyOn(console, "error").mockReturnValue(undefined);
    const now = at("2026-08-10T00:05:00Z");
    await book([recordAt(now - DAY_MS)]);
    await auditUsageDaily(parseEnv(env), now);
    const first = await (await admin("GET", "/usage/reconcile")).json<{ last: { report: AuditReport } }>();
    expect(first.last).toMatchObject({ day: "2026-08-10", report: { groups: 2, total: 0 } });
    expect(log).not.toHaveBeenCalled();

    await run("UPDATE usage_hour SET output = 0");
    await auditUsageDaily(parseEnv(env), now + 300_000);
    expect(log).not.toHaveBeenCalled();
    await auditUsageDaily(parseEnv(env), now + DAY_MS);
    expect(log).toHaveBeenCalledOnce();
    expect(log.mock.calls.flat().join()).toContain('"usage_discrepancies"');
    const second = await (await admin("GET", "/usage/reconcile")).json<{ last: { report: AuditReport } }>();
    expect(second.last).toMatchObject({ day: "2026-08-11", report: { total: 1 } });
  });
});
