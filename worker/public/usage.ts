/** What one key used, from the rollups: in all, by model and by day. */
import { dayAt, dayOf } from "../domain/calendar.ts";
import type { EpochMs } from "../domain/ids.ts";
import { usageRange, type UsageRange } from "../domain/usage-range.ts";
import type { UsagePoint } from "../domain/usage-sum.ts";
import { usageBreakdown, usageSeries, usageTotals } from "../storage/usage-sums.ts";
import type { Holder } from "./holder.ts";

const DAY_MS = 86_400_000;
const MODELS_MAX = 50;
/** Sums by day are kept for ever, and what a page is sent has to end somewhere. */
const DAYS_MAX = 3650;

/** Days of the deployment until today, which is one of them. */
export const PERIODS = { day: 1, week: 7, month: 30, all: null } as const;
export type Period = keyof typeof PERIODS;

/** Noon keeps clear of changes of clocks. */
function firstDay(days: number, now: EpochMs, timeZone: string): string {
  return dayOf(dayAt(now, timeZone).start + DAY_MS / 2 - (days - 1) * DAY_MS, timeZone);
}

function rangeOf(period: Period, createdAt: EpochMs, now: EpochMs, timeZone: string): UsageRange {
  const age = Math.floor(Math.max(0, now - createdAt) / DAY_MS) + 2;
  const days = PERIODS[period] ?? Math.min(DAYS_MAX, age);
  const range = usageRange({ from: { day: firstDay(days, now, timeZone) }, to: undefined }, now, timeZone);
  if (typeof range === "string") throw new Error(`invariant: ${range}`);
  return range;
}

const isUsed = ({ requests }: UsagePoint) => requests > 0;

export async function usageOf({ key, ports, timeZone }: Holder, period: Period) {
  const { DB } = ports.env;
  const range = rangeOf(period, key.createdAt, ports.now(), timeZone);
  const filter = {
    keyId: key.id,
    accountId: undefined,
    model: undefined,
    protocol: undefined,
    provider: undefined,
  };
  const ranking = { by: "model", sort: "cost", limit: MODELS_MAX, offset: 0 } as const;
  const [totals, models, series] = await Promise.all([
    usageTotals(DB, range, filter),
    usageBreakdown(DB, range, filter, ranking),
    usageSeries(DB, range, filter, { step: "day", timeZone, by: null, lines: 1 }),
  ]);
  return {
    period,
    from: range.from,
    to: range.to,
    timeZone,
    totals,
    models: models.items.map(({ id, name: _, ...sums }) => ({ model: id, ...sums })),
    /** Those with a request. */
    days: (series.at(0)?.points ?? []).filter(isUsed).map(({ start: _, ...sums }) => sums),
  };
}
