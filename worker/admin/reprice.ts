/** Prices of today for what was booked before. */
import { daySpan } from "../domain/calendar.ts";
import { priceOf } from "../pricing/price.ts";
import type { PriceTable } from "../pricing/table.ts";
import { applyCosts, billedRecords, type BilledRecord, type NewCost } from "../storage/reprice.ts";

/** A transaction of a few hundred kilobytes. */
const RECORDS_PER_BATCH = 2000;
/** A request to a Worker may ask D1 a thousand things. */
const BATCHES_MAX = 200;

export interface RepriceOrder {
  readonly firstDay: string;
  readonly lastDay: string;
  readonly timeZone: string;
  readonly after: string | undefined;
}

export interface Repriced {
  readonly priceVersion: string;
  readonly records: number;
  /** Records with another cost or another price version than before. */
  readonly changed: number;
  /** Nano-dollars, of all records seen. */
  readonly costBefore: number;
  readonly costAfter: number;
  /** There are more records than one request takes: ask again with this as `after`; null: all are done. */
  readonly next: string | null;
}

function newCost(record: BilledRecord, table: PriceTable): NewCost {
  const usage = {
    tokens: {
      input: record.input,
      output: record.output,
      cacheWrite5m: record.cache_write_5m,
      cacheWrite1h: record.cache_write_1h,
      cacheRead: record.cache_read,
      webSearches: record.web_searches,
    },
    model: record.model,
    serviceTier: record.service_tier,
    speed: record.speed,
  };
  return { record, ...priceOf(usage, record.started_at, table) };
}

const isOther = ({ record, cost, priceVersion }: NewCost) =>
  record.cost !== cost || record.price_version !== priceVersion;

export async function reprice(db: D1Database, order: RepriceOrder, table: PriceTable): Promise<Repriced> {
  const { timeZone } = order;
  const from = daySpan(order.firstDay, timeZone).start;
  const to = daySpan(order.lastDay, timeZone).end;
  let after = order.after ?? "";
  const sum = { records: 0, changed: 0, costBefore: 0, costAfter: 0 };
  for (let batch = 0; batch < BATCHES_MAX; batch++) {
    const records = await billedRecords(db, { from, to, after, limit: RECORDS_PER_BATCH });
    const costs = records.map((record) => newCost(record, table));
    const others = costs.filter(isOther);
    if (others.length > 0) await applyCosts(db, others, timeZone);
    sum.records += records.length;
    sum.changed += others.length;
    for (const { record, cost } of costs) {
      sum.costBefore += record.cost;
      sum.costAfter += cost;
    }
    after = records.at(-1)?.request_id ?? after;
    if (records.length < RECORDS_PER_BATCH) return { priceVersion: table.version, ...sum, next: null };
  }
  return { priceVersion: table.version, ...sum, next: after };
}
