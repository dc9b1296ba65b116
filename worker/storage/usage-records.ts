/** The ledger in D1: booking of batches, exactly once, and queries. */
import { z } from "zod";
import type { RequestId } from "../domain/ids.ts";
import { PROTOCOL_IDS } from "../domain/protocol-id.ts";
import { routingSchema } from "../domain/routing.ts";
import type { RequestView, UsageRecord, UsageView } from "../domain/usage.ts";

export interface Batch {
  /** Whose sequence `through` counts in. */
  readonly sender: string;
  readonly through: number;
  readonly records: readonly UsageRecord[];
  readonly timeZone: string;
}

const HOUR_MS = 3_600_000;

/** JSON text stays under D1's 2 MB a value; longer batches are several statements of one transaction. */
const RECORDS_PER_STATEMENT = 500;

// A record is new if its sender's fence does not cover it and nobody booked its request. The sums read the new
// records before they are inserted, and the fence moves last: one transaction, so a batch counts whole or not at all.
const NEW_RECORDS = `
  FROM json_each(?1) AS item
  WHERE NOT EXISTS (SELECT 1 FROM ledger_fence WHERE sender = ?2 AND through >= ?3)
    AND NOT EXISTS (SELECT 1 FROM usage_record WHERE request_id = item.value ->> 'request_id')`;

const SUMS = `
  count(*), sum(item.value ->> 'failed'), sum(item.value ->> 'unpriced'), sum(item.value ->> 'input'),
  sum(item.value ->> 'output'), sum(item.value ->> 'cache_write_5m'), sum(item.value ->> 'cache_write_1h'),
  sum(item.value ->> 'cache_read'), sum(item.value ->> 'web_searches'), sum(item.value ->> 'cost')`;

const ADD_SUMS = [
  "requests",
  "failed",
  "unpriced",
  "input",
  "output",
  "cache_write_5m",
  "cache_write_1h",
  "cache_read",
  "web_searches",
  "cost",
]
  .map((column) => `${column} = ${column} + excluded.${column}`)
  .join(", ");

const addSums = (table: "usage_hour" | "usage_day", period: "hour" | "day") => `
  INSERT INTO ${table}
  SELECT item.value ->> '${period}', item.value ->> 'key_id', coalesce(item.value ->> 'account_id', ''),
    item.value ->> 'model', ${SUMS} ${NEW_RECORDS}
  GROUP BY 1, 2, 3, 4
  ON CONFLICT DO UPDATE SET ${ADD_SUMS}`;

const COLUMNS = [
  "request_id",
  "key_id",
  "account_id",
  "provider",
  "protocol",
  "model",
  "requested_model",
  "stream",
  "status",
  "outcome",
  "estimated",
  "started_at",
  "first_byte_at",
  "ended_at",
  "attempts",
  "input",
  "output",
  "cache_write_5m",
  "cache_write_1h",
  "cache_read",
  "web_searches",
  "service_tier",
  "cost",
  "price_version",
  "error",
  "routing",
] as const;

const INSERT_RECORDS = `
  INSERT INTO usage_record (${COLUMNS.join(", ")})
  SELECT ${COLUMNS.map((column) => `item.value ->> '${column}'`).join(", ")} ${NEW_RECORDS}`;

const MOVE_FENCE = `
  INSERT INTO ledger_fence (sender, through) VALUES (?1, ?2)
  ON CONFLICT DO UPDATE SET through = max(through, excluded.through)`;

/** No time zone changes its offset within a quarter of an hour of the clock. */
const DAY_BUCKET_MS = 15 * 60_000;
const DAYS_MAX = 1000;
const days = new Map<string, string>();

/** The calendar day of an instant, as `YYYY-MM-DD`. */
export function dayOf(at: number, timeZone: string): string {
  const bucket = `${timeZone}/${String(Math.floor(at / DAY_BUCKET_MS))}`;
  let day = days.get(bucket);
  if (day === undefined) {
    // Swedish dates are written as ISO 8601 writes them.
    const format = new Intl.DateTimeFormat("sv-SE", {
      timeZone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
    });
    day = format.format(at);
    if (days.size >= DAYS_MAX) days.clear();
    days.set(bucket, day);
  }
  return day;
}

const toItem = (record: UsageRecord, timeZone: string) => ({
  request_id: record.requestId,
  key_id: record.keyId,
  account_id: record.accountId,
  provider: record.provider,
  protocol: record.protocol,
  model: record.model,
  requested_model: record.requestedModel,
  stream: Number(record.stream),
  status: record.status,
  outcome: record.outcome,
  estimated: Number(record.estimated),
  started_at: record.startedAt,
  first_byte_at: record.firstByteAt,
  ended_at: record.endedAt,
  attempts: record.attempts,
  input: record.tokens.input,
  output: record.tokens.output,
  cache_write_5m: record.tokens.cacheWrite5m,
  cache_write_1h: record.tokens.cacheWrite1h,
  cache_read: record.tokens.cacheRead,
  web_searches: record.tokens.webSearches,
  service_tier: record.serviceTier,
  cost: record.cost,
  price_version: record.priceVersion,
  error: record.error,
  routing: record.routing === null ? null : JSON.stringify(record.routing),
  hour: Math.floor(record.endedAt / HOUR_MS) * HOUR_MS,
  day: dayOf(record.endedAt, timeZone),
  failed: Number(record.outcome !== "completed" && record.outcome !== "client_gone"),
  unpriced: Number(record.priceVersion === null && record.tokens.output > 0),
});

/** Books a batch. The same batch booked again, or a record that is in another batch too, changes nothing. */
export async function bookUsage(db: D1Database, batch: Batch): Promise<void> {
  const statements: D1PreparedStatement[] = [];
  const unique = [...new Map(batch.records.map((record) => [record.requestId, record])).values()];
  for (let at = 0; at < unique.length; at += RECORDS_PER_STATEMENT) {
    const chunk = unique
      .slice(at, at + RECORDS_PER_STATEMENT)
      .map((record) => toItem(record, batch.timeZone));
    const items = JSON.stringify(chunk);
    for (const sql of [addSums("usage_hour", "hour"), addSums("usage_day", "day"), INSERT_RECORDS]) {
      statements.push(db.prepare(sql).bind(items, batch.sender, batch.through));
    }
  }
  statements.push(db.prepare(MOVE_FENCE).bind(batch.sender, batch.through));
  await db.batch(statements);
}

const rowSchema = z.object({
  request_id: z.string(),
  key_id: z.string(),
  account_id: z.string().nullable(),
  provider: z.string().nullable(),
  protocol: z.enum(PROTOCOL_IDS),
  model: z.string(),
  requested_model: z.string(),
  stream: z.number(),
  status: z.number(),
  outcome: z.enum(["completed", "client_gone", "interrupted", "failed", "lost"]),
  estimated: z.number(),
  started_at: z.number(),
  first_byte_at: z.number().nullable(),
  ended_at: z.number(),
  attempts: z.number(),
  input: z.number(),
  output: z.number(),
  cache_write_5m: z.number(),
  cache_write_1h: z.number(),
  cache_read: z.number(),
  web_searches: z.number(),
  service_tier: z.string().nullable(),
  cost: z.number(),
  price_version: z.string().nullable(),
  error: z.string().nullable(),
  key_name: z.string().nullable(),
  account_name: z.string().nullable(),
});

const SELECT_VIEWS = `
  SELECT u.*, k.name AS key_name, a.name AS account_name FROM usage_record u
  LEFT JOIN relay_key k ON k.id = u.key_id LEFT JOIN account a ON a.id = u.account_id`;

const toView = (value: unknown): UsageView => {
  const row = rowSchema.parse(value);
  return {
    requestId: row.request_id as UsageRecord["requestId"],
    keyId: row.key_id as UsageRecord["keyId"],
    accountId: row.account_id as UsageRecord["accountId"],
    provider: row.provider,
    protocol: row.protocol,
    model: row.model,
    requestedModel: row.requested_model,
    stream: row.stream === 1,
    status: row.status,
    outcome: row.outcome,
    estimated: row.estimated === 1,
    startedAt: row.started_at,
    firstByteAt: row.first_byte_at,
    endedAt: row.ended_at,
    attempts: row.attempts,
    tokens: {
      input: row.input,
      output: row.output,
      cacheWrite5m: row.cache_write_5m,
      cacheWrite1h: row.cache_write_1h,
      cacheRead: row.cache_read,
      webSearches: row.web_searches,
    },
    serviceTier: row.service_tier,
    cost: row.cost,
    priceVersion: row.price_version,
    error: row.error,
    keyName: row.key_name,
    accountName: row.account_name,
  };
};

/** One record, with what is known of its way; null: there is none. */
export async function findRequest(db: D1Database, id: RequestId): Promise<RequestView | null> {
  const row = await db.prepare(`${SELECT_VIEWS} WHERE u.request_id = ?`).bind(id).first();
  if (row === null) return null;
  const { routing } = z.object({ routing: z.string().nullable() }).parse(row);
  return { ...toView(row), routing: routing === null ? null : routingSchema.parse(JSON.parse(routing)) };
}

/** Empties the routing of records between two ids, the second one excluded. */
export async function forgetRouting(db: D1Database, fromId: string, toId: string): Promise<void> {
  await db
    .prepare(
      `UPDATE usage_record SET routing = NULL
       WHERE request_id >= ? AND request_id < ? AND routing IS NOT NULL`,
    )
    .bind(fromId, toId)
    .run();
}

export interface UsageFilter {
  readonly keyId: string | undefined;
  readonly accountId: string | undefined;
  readonly model: string | undefined;
  /** Epoch ms, inclusive, by the request's start. */
  readonly from: number | undefined;
  /** Epoch ms, exclusive. */
  readonly to: number | undefined;
  readonly limit: number;
  readonly offset: number;
}

/** Records, the newest first, with the names of key and account. */
export async function findUsage(
  db: D1Database,
  filter: UsageFilter,
): Promise<{ items: UsageView[]; total: number }> {
  const conditions: string[] = [];
  const values: (string | number)[] = [];
  const add = (condition: string, value: string | number | undefined) => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  add("u.key_id = ?", filter.keyId);
  add("u.account_id = ?", filter.accountId);
  add("u.model = ?", filter.model);
  add("u.started_at >= ?", filter.from);
  add("u.started_at < ?", filter.to);
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const [page, count] = await db.batch([
    db
      .prepare(`${SELECT_VIEWS} ${where} ORDER BY u.request_id DESC LIMIT ? OFFSET ?`)
      .bind(...values, filter.limit, filter.offset),
    db.prepare(`SELECT count(*) AS total FROM usage_record u ${where}`).bind(...values),
  ]);
  const total = z.object({ total: z.number() }).parse(count?.results[0]).total;
  return { items: (page?.results ?? []).map(toView), total };
}
