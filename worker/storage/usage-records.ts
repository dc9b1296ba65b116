/** The ledger in D1: booking of batches, exactly once. */
import { dayOf } from "../domain/calendar.ts";
import type { UsageRecord } from "../domain/usage.ts";

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
    item.value ->> 'model', item.value ->> 'protocol', coalesce(item.value ->> 'provider', ''), ${SUMS} ${NEW_RECORDS}
  GROUP BY 1, 2, 3, 4, 5, 6
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
  "speed",
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
  speed: record.speed,
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
