/** Sums of the ledger by whom and what, from the rollups: no query here reads a record. */
import { z } from "zod";
import { dayOf, daySpan } from "../domain/calendar.ts";
import { NO_USAGE } from "../domain/usage.ts";
import { daysBetween, hoursBetween, type UsageRange } from "../domain/usage-range.ts";
import {
  totalsOf,
  type BreakdownSort,
  type SumFilter,
  type UsageCounts,
  type UsageDimension,
  type UsageGroup,
  type UsageGroupTotals,
  type UsagePoint,
  type UsageSeries,
  type UsageStep,
  type UsageTotals,
} from "../domain/usage-sum.ts";
import { countsOf, SUM_OF_SUMS, sumRowSchema } from "./sum-rows.ts";
import { groupedSource, NAMES, sourceOf } from "./usage-source.ts";

const ORDERS = {
  cost: "cost",
  requests: "requests",
  tokens: "input + output + cache_write_5m + cache_write_1h + cache_read",
  failed: "failed",
} as const satisfies Record<BreakdownSort, string>;

const naturalStep = ({ isWholeDays }: UsageRange): UsageStep => (isWholeDays ? "day" : "hour");

export async function usageTotals(
  db: D1Database,
  range: UsageRange,
  filter: SumFilter,
): Promise<UsageTotals> {
  const { sql, values } = sourceOf(range, filter, naturalStep(range));
  const row = await db
    .prepare(`SELECT ${SUM_OF_SUMS} ${sql}`)
    .bind(...values)
    .first();
  return totalsOf(countsOf(sumRowSchema.parse(row)));
}

const groupSchema = sumRowSchema.extend({ id: z.string(), name: z.string().nullable() });

export interface Ranking {
  readonly by: UsageDimension;
  readonly sort: BreakdownSort;
  readonly limit: number;
  readonly offset: number;
}

/** Groups with their sums, the largest first. */
export async function usageBreakdown(
  db: D1Database,
  range: UsageRange,
  filter: SumFilter,
  ranking: Ranking,
): Promise<{ items: UsageGroupTotals[]; total: number }> {
  const { sql, values, column } = groupedSource(range, filter, naturalStep(range), ranking.by);
  const [page, count] = await db.batch([
    db
      .prepare(
        `SELECT g.*, ${NAMES[ranking.by]} AS name FROM (
           SELECT ${column} AS id, ${SUM_OF_SUMS} ${sql}
           GROUP BY 1 ORDER BY ${ORDERS[ranking.sort]} DESC, 1 LIMIT ? OFFSET ?) g`,
      )
      .bind(...values, ranking.limit, ranking.offset),
    db.prepare(`SELECT count(DISTINCT ${column}) AS total ${sql}`).bind(...values),
  ]);
  const rows = z.array(groupSchema).parse(page?.results);
  const { total } = z.object({ total: z.number() }).parse(count?.results[0]);
  return {
    items: rows.map((row) => ({ id: row.id, name: row.name, ...totalsOf(countsOf(row)) })),
    total,
  };
}

const ALL: UsageGroup = { id: null, name: null };
const NOTHING: UsageCounts = { requests: 0, failed: 0, unpriced: 0, tokens: NO_USAGE, cost: 0 };
const pointSchema = sumRowSchema.extend({
  period: z.union([z.string(), z.number()]),
  id: z.string().nullable(),
});

interface Period {
  readonly id: string | number;
  readonly point: Pick<UsagePoint, "start" | "day">;
}

const periodsOf = (range: UsageRange, step: UsageStep, timeZone: string): Period[] =>
  step === "day"
    ? daysBetween(range.firstDay, range.lastDay).map((day) => ({
        id: day,
        point: { start: daySpan(day, timeZone).start, day },
      }))
    : hoursBetween(range).map((hour) => ({
        id: hour,
        point: { start: hour, day: dayOf(hour, timeZone) },
      }));

export interface Chart {
  readonly step: UsageStep;
  readonly timeZone: string;
  /** One line for each of the dearest groups, and one for all others; null: one line for everything. */
  readonly by: UsageDimension | null;
  readonly lines: number;
}

export async function usageSeries(
  db: D1Database,
  range: UsageRange,
  filter: SumFilter,
  chart: Chart,
): Promise<UsageSeries[]> {
  const { sql, values, column } = groupedSource(range, filter, chart.step, chart.by);
  const groups =
    chart.by === null ? [] : await dearest(db, range, filter, { by: chart.by, lines: chart.lines });
  const named = JSON.stringify(groups.map(({ id }) => id));
  const { results } = await db
    .prepare(
      `SELECT ${chart.step} AS period,
         CASE WHEN ${column} IN (SELECT value FROM json_each(?)) THEN ${column} END AS id, ${SUM_OF_SUMS}
       ${sql} GROUP BY 1, 2`,
    )
    .bind(named, ...values)
    .all();
  const rows = z.array(pointSchema).parse(results);
  const counts = new Map(rows.map((row) => [JSON.stringify([row.id, row.period]), countsOf(row)]));
  const hasOthers = chart.by === null || rows.some(({ id }) => id === null);
  const periods = periodsOf(range, chart.step, chart.timeZone);
  return [...groups, ...(hasOthers ? [ALL] : [])].map((group) => ({
    group,
    points: periods.map(({ id, point }) => ({
      ...point,
      ...totalsOf(counts.get(JSON.stringify([group.id, id])) ?? NOTHING),
    })),
  }));
}

async function dearest(
  db: D1Database,
  range: UsageRange,
  filter: SumFilter,
  { by, lines }: { readonly by: UsageDimension; readonly lines: number },
): Promise<UsageGroup[]> {
  const { items } = await usageBreakdown(db, range, filter, { by, sort: "cost", limit: lines, offset: 0 });
  return items.map(({ id, name }) => ({ id, name }));
}
