/** The ledger in D1: booking of batches, exactly once. */
import { dayOf } from "../domain/calendar.ts";
import type { UsageRecord } from "../domain/usage.ts";
import { SUM_COLUMNS } from "./sum-rows.ts";

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

// Rows travel as lists, which are half as long as objects and as quick to write as to read. Both kinds begin with the
// request's id.
type Cell = string | number | null;

const tokenCells = ({ tokens }: UsageRecord): Cell[] => [
  tokens.input,
  tokens.output,
  tokens.cacheWrite5m,
  tokens.cacheWrite1h,
  tokens.cacheRead,
  tokens.webSearches,
];

const RECORD_COLUMNS = [
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

const recordRow = (record: UsageRecord): Cell[] => [
  record.requestId,
  record.keyId,
  record.accountId,
  record.provider,
  record.protocol,
  record.model,
  record.requestedModel,
  Number(record.stream),
  record.status,
  record.outcome,
  Number(record.estimated),
  record.startedAt,
  record.firstByteAt,
  record.endedAt,
  record.attempts,
  ...tokenCells(record),
  record.serviceTier,
  record.speed,
  record.cost,
  record.priceVersion,
  record.error,
  record.routing === null ? null : JSON.stringify(record.routing),
];

const GROUP_COLUMNS = ["hour", "day", "key_id", "account_id", "model", "protocol", "provider"] as const;
/** What the sums need of a record. */
const sumRow = (record: UsageRecord, timeZone: string): Cell[] => [
  record.requestId,
  Math.floor(record.endedAt / HOUR_MS) * HOUR_MS,
  dayOf(record.endedAt, timeZone),
  record.keyId,
  record.accountId ?? "",
  record.model,
  record.protocol,
  record.provider ?? "",
  1,
  Number(record.outcome !== "completed" && record.outcome !== "client_gone"),
  Number(record.priceVersion === null && record.tokens.output > 0),
  ...tokenCells(record),
  record.cost,
];

const SUM_ROW = ["request_id", ...GROUP_COLUMNS, ...SUM_COLUMNS] as const;

const inSumRow = (column: (typeof SUM_ROW)[number]) => `item.value ->> ${String(SUM_ROW.indexOf(column))}`;

// A record is new if its sender's fence does not cover it and nobody booked its request. The sums read the new
// records before they are inserted, and the fence moves last: one transaction, so a batch counts whole or not at all.
const NEW_RECORDS = `
  FROM json_each(?1) AS item
  WHERE NOT EXISTS (SELECT 1 FROM ledger_fence WHERE sender = ?2 AND through >= ?3)
    AND NOT EXISTS (SELECT 1 FROM usage_record WHERE request_id = item.value ->> 0)`;

const SUMS = SUM_COLUMNS.map((column) => `sum(${inSumRow(column)})`).join(", ");
const ADD_SUMS = SUM_COLUMNS.map((column) => `${column} = ${column} + excluded.${column}`).join(", ");

const addSums = (table: "usage_hour" | "usage_day", period: "hour" | "day") => {
  const group = ([period, "key_id", "account_id", "model", "protocol", "provider"] as const).map(inSumRow);
  return `
  INSERT INTO ${table} SELECT ${group.join(", ")}, ${SUMS} ${NEW_RECORDS}
  GROUP BY 1, 2, 3, 4, 5, 6
  ON CONFLICT DO UPDATE SET ${ADD_SUMS}`;
};
const ADD_TO_SUMS = [addSums("usage_hour", "hour"), addSums("usage_day", "day")];

const INSERT_RECORDS = `
  INSERT INTO usage_record (${RECORD_COLUMNS.join(", ")})
  SELECT ${RECORD_COLUMNS.map((_, index) => `item.value ->> ${String(index)}`).join(", ")} ${NEW_RECORDS}`;

const MOVE_FENCE = `
  INSERT INTO ledger_fence (sender, through) VALUES (?1, ?2)
  ON CONFLICT DO UPDATE SET through = max(through, excluded.through)`;

/** Books a batch. The same batch booked again, or a record that is in another batch too, changes nothing. */
export async function bookUsage(db: D1Database, batch: Batch): Promise<void> {
  const { sender, through, timeZone } = batch;
  const statements: D1PreparedStatement[] = [];
  const unique = [...new Map(batch.records.map((record) => [record.requestId, record])).values()];
  for (let at = 0; at < unique.length; at += RECORDS_PER_STATEMENT) {
    const chunk = unique.slice(at, at + RECORDS_PER_STATEMENT);
    const sums = JSON.stringify(chunk.map((record) => sumRow(record, timeZone)));
    for (const sql of ADD_TO_SUMS) statements.push(db.prepare(sql).bind(sums, sender, through));
    const records = JSON.stringify(chunk.map(recordRow));
    statements.push(db.prepare(INSERT_RECORDS).bind(records, sender, through));
  }
  statements.push(db.prepare(MOVE_FENCE).bind(sender, through));
  await db.batch(statements);
}
