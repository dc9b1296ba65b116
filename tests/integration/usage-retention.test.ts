/** Records go after some months; what they add up to stays, and where there is an archive, so do they. */
import { beforeEach, describe, expect, it } from "vitest";
import { retireRecords, retiredBefore } from "../../worker/cron/retire-records.ts";
import type { AuditReport } from "../../worker/domain/usage-audit.ts";
import type { UsageTotals } from "../../worker/domain/usage-sum.ts";
import { parseEnv } from "../../worker/env.ts";
import { book, recordAt } from "./setup/ledger.ts";
import { admin, env } from "./setup/relay.ts";

const at = (text: string) => Date.parse(text);
const NOW = at("2026-06-15T12:00:00Z");
const CUT = at("2026-03-15T00:00:00Z");
const keeping = (variables: Record<string, unknown>) => parseEnv({ ...env, ...variables });

async function idsLeft(): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT request_id AS id FROM usage_record ORDER BY 1").all<{
    id: string;
  }>();
  return results.map(({ id }) => id);
}

const records = [
  recordAt(CUT - 86_400_000, { model: '=odd "name"' }),
  recordAt(CUT - 5000),
  // Ends in the first day that stays whole.
  recordAt(CUT - 1000),
  recordAt(CUT + 1000),
];
const ids = records.map(({ requestId }) => requestId as string);

beforeEach(async () => {
  for (const table of ["usage_record", "usage_hour", "usage_day"])
    await env.DB.prepare(`DELETE FROM ${table}`).run();
  await env.DB.prepare("UPDATE usage_retention SET records_from = 0").run();
  await book(records);
});

describe("retireRecords", () => {
  it("keeps everything unless told otherwise", async () => {
    expect(await retireRecords(keeping({}), NOW)).toBe(0);
    expect(await idsLeft()).toEqual(ids);
  });

  it("deletes what ended before a day some months ago, and no sum", async () => {
    expect(await retireRecords(keeping({ RECORD_MONTHS: "3" }), NOW)).toBe(2);
    expect(await idsLeft()).toEqual(ids.slice(2));
    const summary = await admin("GET", "/usage/summary?from=2026-03-01&to=2026-03-31");
    expect((await summary.json<UsageTotals>()).requests).toBe(4);
    expect(await retireRecords(keeping({ RECORD_MONTHS: "3" }), NOW)).toBe(0);
  });

  it("leaves days that can be compared with their records, and says which", async () => {
    await retireRecords(keeping({ RECORD_MONTHS: "3" }), NOW);
    const order = { from: "2026-03-10", to: "2026-03-20", repair: true };
    const report = await (await admin("POST", "/usage/reconcile", order)).json<AuditReport>();
    expect(report).toMatchObject({ from: CUT, total: 0, repaired: false });
    const summary = await admin("GET", "/usage/summary?from=2026-03-01&to=2026-03-31");
    expect((await summary.json<UsageTotals>()).requests).toBe(4);
  });

  it("takes many batches in one run", async () => {
    const many = Array.from({ length: 4500 }, (_, index) => recordAt(CUT - 10_000_000 - index));
    await book(many);
    expect(await retireRecords(keeping({ RECORD_MONTHS: "3" }), NOW)).toBe(4502);
    expect(await idsLeft()).toEqual(ids.slice(2));
  });
});

describe("the archive", () => {
  const archived = (ARCHIVE: R2Bucket) => keeping({ RECORD_MONTHS: "3", ARCHIVE });

  it("holds every deleted record with every column, compressed", async () => {
    await retireRecords(archived(env.TEST_ARCHIVE), NOW);
    expect(await idsLeft()).toEqual(ids.slice(2));
    const { objects } = await env.TEST_ARCHIVE.list({ prefix: "usage/" });
    expect(objects.map(({ key }) => key)).toEqual([`usage/${ids[0] ?? ""}-${ids[1] ?? ""}.ndjson.gz`]);
    const stored = await env.TEST_ARCHIVE.get(objects[0]?.key ?? "");
    if (stored === null) throw new Error("no archive");
    const lines = (
      await new Response(stored.body.pipeThrough(new DecompressionStream("gzip"))).text()
    ).trimEnd();
    const rows = lines.split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows).toMatchObject([
      { request_id: ids[0], model: '=odd "name"', cost: 1000, output: 20, speed: null },
      { request_id: ids[1] },
    ]);
  });

  /** A bucket that does one thing otherwise. */
  const spoilt = (wrong: Partial<R2Bucket>): R2Bucket =>
    ({
      put: env.TEST_ARCHIVE.put.bind(env.TEST_ARCHIVE),
      get: env.TEST_ARCHIVE.get.bind(env.TEST_ARCHIVE),
      ...wrong,
    }) as R2Bucket;
  const other = async (): Promise<unknown> => {
    await env.TEST_ARCHIVE.put(
      "other",
      await new Response(
        new Blob(["other\n"]).stream().pipeThrough(new CompressionStream("gzip")),
      ).arrayBuffer(),
    );
    return env.TEST_ARCHIVE.get("other");
  };

  it.each([
    ["cannot be written", { put: () => Promise.reject(new Error("R2 is away")) }, "R2 is away"],
    ["is not there", { get: () => Promise.resolve(null) }, "its records stay"],
    ["is not what was written", { get: other as R2Bucket["get"] }, "its records stay"],
  ] as [string, Partial<R2Bucket>, string][])("that %s costs no record", async (_, wrong, message) => {
    await expect(retireRecords(archived(spoilt(wrong)), NOW)).rejects.toThrow(message);
    expect(await idsLeft()).toEqual(ids);
  });
});

describe("retiredBefore", () => {
  it("is the start of a day of the deployment's", () => {
    expect(retiredBefore(NOW, 3, "UTC")).toBe(CUT);
    expect(retiredBefore(at("2026-05-31T12:00:00Z"), 3, "Asia/Kathmandu")).toBe(at("2026-02-27T18:15:00Z"));
  });
});
