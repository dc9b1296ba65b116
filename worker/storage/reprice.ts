/** New prices for records that are booked: they and their sums change together, batch by batch. */
import { z } from "zod";
import { dayOf } from "../domain/calendar.ts";
import { firstRequestIdAt, type EpochMs } from "../domain/ids.ts";

const HOUR_MS = 3_600_000;
/** Longer than any request lives. */
const REQUEST_MS_MAX = 24 * HOUR_MS;

const billedSchema = z.object({
  request_id: z.string(),
  model: z.string(),
  service_tier: z.string().nullable(),
  speed: z.string().nullable(),
  started_at: z.number(),
  ended_at: z.number(),
  input: z.number(),
  output: z.number(),
  cache_write_5m: z.number(),
  cache_write_1h: z.number(),
  cache_read: z.number(),
  web_searches: z.number(),
  cost: z.number(),
  price_version: z.string().nullable(),
});
/** What a record's cost depends on. */
export type BilledRecord = Readonly<z.infer<typeof billedSchema>>;

export interface Slice {
  /** By the record's end: inclusive, exclusive. */
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** The last request of the slice before; the empty text: there was none. */
  readonly after: string;
  readonly limit: number;
}

export async function billedRecords(
  db: D1Database,
  { from, to, after, limit }: Slice,
): Promise<BilledRecord[]> {
  const { results } = await db
    .prepare(
      `SELECT ${Object.keys(billedSchema.shape).join(", ")} FROM usage_record
       WHERE request_id >= ?1 AND request_id > ?2 AND request_id < ?3 AND ended_at >= ?4 AND ended_at < ?5
       ORDER BY request_id LIMIT ?6`,
    )
    .bind(firstRequestIdAt(from - REQUEST_MS_MAX), after, firstRequestIdAt(to), from, to, limit)
    .all();
  return z.array(billedSchema).parse(results);
}

export interface NewCost {
  readonly record: BilledRecord;
  readonly cost: number;
  readonly priceVersion: string | null;
}

// The difference is taken from the record as it is in this transaction, so that two runs at once, or one that comes
// again, change nothing twice.
const moveSums = (step: "hour" | "day") => `
  UPDATE usage_${step} AS sums SET cost = sums.cost + change.cost, unpriced = sums.unpriced + change.unpriced
  FROM (SELECT item.value ->> '${step}' AS period, key_id, coalesce(account_id, '') AS account_id, model, protocol,
      coalesce(provider, '') AS provider, sum((item.value ->> 'cost') - u.cost) AS cost,
      sum(((item.value ->> 'price_version') IS NULL AND output > 0) - (price_version IS NULL AND output > 0)) AS unpriced
    FROM json_each(?1) AS item JOIN usage_record u ON u.request_id = item.value ->> 'request_id'
    GROUP BY 1, 2, 3, 4, 5, 6) AS change
  WHERE sums.${step} = change.period AND sums.key_id = change.key_id AND sums.account_id = change.account_id
    AND sums.model = change.model AND sums.protocol = change.protocol AND sums.provider = change.provider`;

const MOVE_RECORDS = `
  UPDATE usage_record SET cost = item.value ->> 'cost', price_version = item.value ->> 'price_version'
  FROM json_each(?1) AS item WHERE usage_record.request_id = item.value ->> 'request_id'`;

/** One transaction: sums first, because they ask what the records said so far. */
export async function applyCosts(db: D1Database, costs: readonly NewCost[], timeZone: string): Promise<void> {
  const items = JSON.stringify(
    costs.map(({ record, cost, priceVersion }) => ({
      request_id: record.request_id,
      cost,
      price_version: priceVersion,
      hour: Math.floor(record.ended_at / HOUR_MS) * HOUR_MS,
      day: dayOf(record.ended_at, timeZone),
    })),
  );
  await db.batch([moveSums("hour"), moveSums("day"), MOVE_RECORDS].map((sql) => db.prepare(sql).bind(items)));
}
