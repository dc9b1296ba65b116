/** Compares the ledger's sums with its records, day by day, and makes them anew where that is asked for. */
import { z } from "zod";
import { daySpan } from "../domain/calendar.ts";
import { firstRequestIdAt, type EpochMs } from "../domain/ids.ts";
import {
  auditReportSchema,
  compareSums,
  type AuditReport,
  type AuditRow,
  type Discrepancy,
} from "../domain/usage-audit.ts";
import { daysBetween } from "../domain/usage-range.ts";
import type { UsageStep } from "../domain/usage-sum.ts";
import { recordsFrom } from "./retention.ts";
import { SUM_COLUMNS, SUM_OF_RECORDS, sumRowSchema } from "./sum-rows.ts";

const HOUR_MS = 3_600_000;
/** Longer than any request lives, its settlement by an alarm included: who ended in a day began in it or in the one before. */
const REQUEST_MS_MAX = 24 * HOUR_MS;
const DISCREPANCIES_MAX = 500;

const GROUP = "key_id, account_id, model, protocol, provider";
const RECORDS = `FROM usage_record
  WHERE request_id >= ?1 AND request_id < ?2 AND ended_at >= ?3 AND ended_at < ?4 GROUP BY 1, 2, 3, 4, 5, 6`;
const counted = (period: string) => `
  SELECT ${period} AS period, key_id, coalesce(account_id, '') AS account_id, model, protocol,
    coalesce(provider, '') AS provider, ${SUM_OF_RECORDS} ${RECORDS}`;
const HOUR_OF_RECORD = `ended_at / ${String(HOUR_MS)} * ${String(HOUR_MS)}`;

/** One day of the deployment's, and the hours that begin in it. */
interface Period {
  readonly step: UsageStep;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly first: string | number;
  readonly last: string | number;
}

function periodsOf(day: string, timeZone: string): Period[] {
  const { start, end } = daySpan(day, timeZone);
  const from = Math.ceil(start / HOUR_MS) * HOUR_MS;
  const to = Math.ceil(end / HOUR_MS) * HOUR_MS;
  return [
    { step: "hour", from, to, first: from, last: to - HOUR_MS },
    { step: "day", from: start, to: end, first: day, last: day },
  ];
}

function countStatement(db: D1Database, period: Period, insertInto = ""): D1PreparedStatement {
  const isHour = period.step === "hour";
  const statement = db.prepare(`${insertInto} ${counted(isHour ? HOUR_OF_RECORD : "?5")}`);
  const ids = [firstRequestIdAt(period.from - REQUEST_MS_MAX), firstRequestIdAt(period.to)] as const;
  return isHour
    ? statement.bind(...ids, period.from, period.to)
    : statement.bind(...ids, period.from, period.to, period.first);
}

const tableOf = ({ step }: Period) => `usage_${step}`;

const bookedStatement = (db: D1Database, period: Period) =>
  db
    .prepare(
      `SELECT ${period.step} AS period, ${GROUP}, ${SUM_COLUMNS.join(", ")}
       FROM ${tableOf(period)} WHERE ${period.step} BETWEEN ? AND ?`,
    )
    .bind(period.first, period.last);

const rowSchema = sumRowSchema
  .extend({
    period: z.union([z.string(), z.number()]),
    key_id: z.string(),
    account_id: z.string(),
    model: z.string(),
    protocol: z.string(),
    provider: z.string(),
  })
  .transform(({ period, key_id, account_id, model, protocol, provider, ...sums }): AuditRow => ({
    period,
    keyId: key_id,
    accountId: account_id,
    model,
    protocol,
    provider,
    sums,
  }));

const rowsOf = (result: D1Result | undefined): AuditRow[] => z.array(rowSchema).parse(result?.results);

/** Both sides of a day in one transaction: what is booked meanwhile is in both or in neither. */
async function auditDay(db: D1Database, periods: readonly Period[]) {
  const statements = periods.flatMap((period) => [bookedStatement(db, period), countStatement(db, period)]);
  const results = await db.batch(statements);
  return periods.map(({ step }, index) =>
    compareSums(step, rowsOf(results[2 * index]), rowsOf(results[2 * index + 1])),
  );
}

async function repairDay(db: D1Database, periods: readonly Period[]): Promise<void> {
  const statements = periods.flatMap((period) => [
    db
      .prepare(`DELETE FROM ${tableOf(period)} WHERE ${period.step} BETWEEN ? AND ?`)
      .bind(period.first, period.last),
    countStatement(db, period, `INSERT INTO ${tableOf(period)}`),
  ]);
  await db.batch(statements);
}

export interface AuditOrder {
  readonly firstDay: string;
  readonly lastDay: string;
  readonly timeZone: string;
  readonly repair: boolean;
}

/** Days of which records were deleted cannot be compared, and are left out. */
export async function auditUsage(db: D1Database, order: AuditOrder): Promise<AuditReport> {
  const whole = await recordsFrom(db);
  const days = daysBetween(order.firstDay, order.lastDay).filter(
    (day) => daySpan(day, order.timeZone).start >= whole,
  );
  const discrepancies: Discrepancy[] = [];
  let [groups, total, repaired] = [0, 0, false];
  for (const day of days) {
    const periods = periodsOf(day, order.timeZone);
    const found = await auditDay(db, periods);
    const wrong = found.flatMap((each) => each.discrepancies);
    groups += found.reduce((sum, each) => sum + each.groups, 0);
    total += wrong.length;
    discrepancies.push(...wrong.slice(0, DISCREPANCIES_MAX - discrepancies.length));
    if (!order.repair || wrong.length === 0) continue;
    await repairDay(db, periods);
    repaired = true;
  }
  const first = days.at(0) ?? order.lastDay;
  const from = daySpan(first, order.timeZone).start;
  return { from, to: daySpan(order.lastDay, order.timeZone).end, groups, discrepancies, total, repaired };
}

/** Claims a day's run. @returns whether nobody did before */
export async function claimAudit(db: D1Database, day: string): Promise<boolean> {
  const { meta } = await db.prepare("UPDATE usage_audit SET day = ?1 WHERE day < ?1").bind(day).run();
  return meta.changes === 1;
}

export async function saveAudit(db: D1Database, report: AuditReport): Promise<void> {
  await db.prepare("UPDATE usage_audit SET report = ?").bind(JSON.stringify(report)).run();
}

/** What the last daily run found; null: none ran yet. */
export async function lastAudit(db: D1Database): Promise<{ day: string; report: AuditReport } | null> {
  const row = z
    .object({ day: z.string(), report: z.string().nullable() })
    .parse(await db.prepare("SELECT day, report FROM usage_audit").first());
  return row.report === null
    ? null
    : { day: row.day, report: auditReportSchema.parse(JSON.parse(row.report)) };
}
