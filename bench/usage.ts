/**
 * `npm run bench -- --only usage`: how the ledger's queries stand a ledger ten times as large. A team of a fixed size
 * has a hundred thousand requests in ninety days, then a million in the same ninety days; prints medians, their ratio,
 * and how the first page of each list is found.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Miniflare } from "miniflare";
import { newRequestId } from "../worker/domain/ids.ts";
import { ADMIN } from "./admin.ts";
import { startMiniflare } from "./miniflare.ts";
import { median } from "./statistics.ts";

type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

const SIZES = [100_000, 1_000_000] as const;
const DAY_MS = 86_400_000;
const DAYS = 90;
const KEYS = 25;
const ACCOUNTS = 10;
const MODELS = 4;
/** Under D1's two megabytes for a value. */
const ROWS_PER_STATEMENT = 20_000;
const ASKED = 15;

const QUERIES = [
  ["summary, 90 days", "/usage/summary?DAYS"],
  ["summary of a key, 90 days", "/usage/summary?DAYS&keyId=key_00000003"],
  ["series by day, 90 days", "/usage/series?step=day&DAYS"],
  ["series by day and model", "/usage/series?step=day&by=model&DAYS"],
  ["series by hour, one day", "/usage/series?step=hour&LAST"],
  ["cost ranking of keys", "/usage/breakdown?by=key&DAYS"],
  ["sums by tag, 90 days", "/usage/breakdown?by=tag&DAYS"],
  ["first page", "/usage?limit=50"],
  ["first page of a key", "/usage?limit=50&keyId=key_00000003"],
  ["first page of a model", "/usage?limit=50&model=model-1"],
  ["first page of a protocol", "/usage?limit=50&protocol=gemini"],
  ["first page of failures", "/usage?limit=50&outcome=failed"],
  ["first page of a key's model", "/usage?limit=50&keyId=key_00000003&model=model-1"],
  ["live, 5 minutes", "/usage/live"],
] as const;

const RECORD_SUMS = `count(*), sum(outcome <> 'completed'), 0, sum(input), sum(output), 0, 0, sum(cache_read), 0, sum(cost)`;
const groupsInto = (step: "hour" | "day", period: string) => `
  INSERT INTO usage_${step} SELECT ${period}, key_id, account_id, model, protocol, provider, ${RECORD_SUMS}
  FROM usage_record GROUP BY 1, 2, 3, 4, 5, 6`;

const INSERT = `
  INSERT INTO usage_record (request_id, key_id, account_id, provider, protocol, model, requested_model, stream, status,
    outcome, estimated, started_at, first_byte_at, ended_at, attempts, input, output, cache_write_5m, cache_write_1h,
    cache_read, web_searches, cost, price_version)
  SELECT value ->> 0, printf('key_%08d', value ->> 2), printf('acc_%08d', value ->> 3), 'claude-console',
    iif((value ->> 4) = 0, 'gemini', 'anthropic'), 'model-' || (value ->> 4), 'model-' || (value ->> 4), 1, 200,
    iif((value ->> 5) = 0, 'failed', 'completed'), 0, value ->> 1, (value ->> 1) + 400, (value ->> 1) + 2000, 1,
    100, 200, 0, 0, 3000, 0, 5000000, 'bench'
  FROM json_each(?)`;

/** Each key stays with one account, as conversations do, and asks two models. */
function row(at: number, index: number): (string | number)[] {
  const random = crypto.getRandomValues(new Uint8Array(12));
  const key = (random[10] ?? 0) % KEYS;
  const model = (key + ((random[11] ?? 0) & 1)) % MODELS;
  return [newRequestId(at, random), at, key, key % ACCOUNTS, model, index % 50];
}

async function fill(db: Database, size: number, now: number): Promise<void> {
  const spacing = (DAYS * DAY_MS) / size;
  for (let from = 0; from < size; from += ROWS_PER_STATEMENT) {
    const rows = Array.from({ length: Math.min(ROWS_PER_STATEMENT, size - from) }, (_, index) =>
      row(Math.floor(now - (size - from - index) * spacing), from + index),
    );
    await db.prepare(INSERT).bind(JSON.stringify(rows)).run();
  }
  await db.prepare(groupsInto("hour", "ended_at / 3600000 * 3600000")).run();
  await db.prepare(groupsInto("day", "date(ended_at / 1000, 'unixepoch')")).run();
}

const dayAt = (at: number): string => new Date(at).toISOString().slice(0, 10);

function pathOf(path: string, now: number): string {
  const days = `from=${dayAt(now - (DAYS - 1) * DAY_MS)}&to=${dayAt(now)}`;
  const last = `from=${dayAt(now - DAY_MS)}&to=${dayAt(now - DAY_MS)}`;
  return path.replace("DAYS", days).replace("LAST", last);
}

async function login(url: string): Promise<string> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}/admin/login`, {
    method: "POST",
    headers,
    body: JSON.stringify(ADMIN),
  });
  return ((await response.json()) as { token: string }).token;
}

/** Median ms of each query, over a connection and a compiled worker that were used before. */
async function measure(url: string, now: number): Promise<number[]> {
  const headers = { authorization: `Bearer ${await login(url)}` };
  const medians: number[] = [];
  for (const [name, path] of QUERIES) {
    const times: number[] = [];
    for (let ask = 0; ask < ASKED + 2; ask++) {
      const startedAt = performance.now();
      const response = await fetch(`${url}/admin${pathOf(path, now)}`, { headers });
      const text = await response.text();
      if (!response.ok) throw new Error(`${name}: ${String(response.status)} ${text}`);
      times.push(performance.now() - startedAt);
    }
    medians.push(median(times.slice(2)));
  }
  return medians;
}

/** What finds the records of each filter; tests/integration/usage-list.test.ts holds the product's own statements to it. */
async function printPlans(db: Database): Promise<void> {
  const conditions = ["1", "key_id = 'k'", "account_id = 'a'", "model = 'm'", "protocol = 'gemini'"].concat(
    "outcome = 'failed' AND outcome <> 'completed'",
  );
  for (const condition of conditions) {
    const sql = `SELECT * FROM usage_record WHERE request_id >= 'req_0' AND ${condition} ORDER BY request_id DESC LIMIT 51`;
    const { results } = await db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all<{ detail: string }>();
    console.log(`  ${condition}: ${results.map(({ detail }) => detail).join("; ")}`);
  }
  for (const [table, period] of [
    ["usage_day", "day BETWEEN '2026-01-01' AND '2026-03-31'"],
    ["usage_hour", "hour BETWEEN 0 AND 1"],
  ] as const) {
    const sql = `EXPLAIN QUERY PLAN SELECT sum(cost) FROM ${table} WHERE ${period}`;
    const { results } = await db.prepare(sql).all<{ detail: string }>();
    console.log(`  sums of ${table}: ${results.map(({ detail }) => detail).join("; ")}`);
  }
}

/** @param dir where the bundled relay is, and where databases may be */
export async function benchUsage(dir: string): Promise<void> {
  const now = Date.now();
  const figures: number[][] = [];
  for (const size of SIZES) {
    const state = join(dir, "state", `usage-${String(size)}`);
    await mkdir(state, { recursive: true });
    const { miniflare, url } = await startMiniflare({
      bundle: join(dir, "bundles", "relay"),
      state,
      upstream: "",
    });
    const db = await miniflare.getD1Database("DB");
    console.error(`filling ${String(size)} records`);
    await fill(db, size, now);
    figures.push(await measure(url, now));
    if (size === SIZES.at(-1)) await printPlans(db);
    await miniflare.dispose();
  }
  const [small = [], large = []] = figures;
  console.log(
    `${"ms, median".padEnd(30)}${SIZES.map((size) => String(size).padStart(10)).join("")}     ratio`,
  );
  for (const [index, [name]] of QUERIES.entries()) {
    const [few = NaN, many = NaN] = [small[index], large[index]];
    const cells = [few.toFixed(1), many.toFixed(1), (many / few).toFixed(2)].map((cell) => cell.padStart(10));
    console.log(`${name.padEnd(30)}${cells.join("")}`);
  }
}
