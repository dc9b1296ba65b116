/** The time that sums are asked for: whole hours, or whole days of the deployment's time zone. Pure. */
import { z } from "zod";
import { dayAt, dayOf, daySpan } from "./calendar.ts";
import type { EpochMs } from "./ids.ts";
import type { UsageStep } from "./usage-sum.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Of the sums that a chart or a total is made of when nobody says otherwise. */
const DAYS_DEFAULT = 30;
/** Ten years. */
const DAYS_MAX = 3660;
/** A month's hours, and the one more that a change of clocks brings. */
const HOURS_MAX = 31 * 24 + 1;

const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** JavaScript takes the 30th of February for a day in March. */
const isDay = (text: string) => new Date(`${text}T00:00:00Z`).toJSON()?.startsWith(text) === true;

/** Epoch ms, or a time as ISO 8601 writes it. */
export const instantSchema = z.string().transform((text, issues): EpochMs => {
  const at = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  // Dates that JavaScript can hold.
  if (Number.isSafeInteger(at) && Math.abs(at) <= 8.64e15) return at;
  issues.addIssue("must be epoch ms or an ISO 8601 date");
  return z.NEVER;
});

/** A day (`YYYY-MM-DD`), which is one of the deployment's time zone, or an instant. */
export const momentSchema = z.union([
  z
    .string()
    .regex(DAY)
    .refine(isDay, "must be a day")
    .transform((day) => ({ day })),
  z
    .string()
    .refine((text) => !DAY.test(text))
    .pipe(instantSchema)
    .transform((at) => ({ at })),
]);
export type Moment = z.output<typeof momentSchema>;

/** Half-open. */
export interface UsageRange {
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** The days that it touches, as `YYYY-MM-DD`. */
  readonly firstDay: string;
  readonly lastDay: string;
  /** It begins and ends with a day. */
  readonly isWholeDays: boolean;
}

export interface Asked {
  readonly from: Moment | undefined;
  /** A day is included; an instant is not. */
  readonly to: Moment | undefined;
}

/** @returns the range, widened to whole hours; as text: what is wrong with it */
export function usageRange({ from, to }: Asked, now: EpochMs, timeZone: string): UsageRange | string {
  const end = to === undefined ? dayAt(now, timeZone).end : endOf(to, timeZone);
  const start = from === undefined ? daysBefore(end, timeZone) : startOf(from, timeZone);
  if (start >= end) return "from: must be before to";
  if (end - start > DAYS_MAX * DAY_MS) return `from: must be at most ${String(DAYS_MAX)} days before to`;
  const range = spanOf(start, end, timeZone);
  return range.isWholeDays ? range : hourly(range);
}

/** The range as charts of this step show it. @returns as text: what is wrong with it */
export function steppedRange(range: UsageRange, step: UsageStep, timeZone: string): UsageRange | string {
  if (step === "hour") return hourly(range);
  return spanOf(dayAt(range.from, timeZone).start, dayAt(range.to - 1, timeZone).end, timeZone);
}

const spanOf = (from: EpochMs, to: EpochMs, timeZone: string): UsageRange => ({
  from,
  to,
  firstDay: dayOf(from, timeZone),
  lastDay: dayOf(to - 1, timeZone),
  isWholeDays: dayAt(from, timeZone).start === from && dayAt(to, timeZone).start === to,
});

const hourly = (range: UsageRange): UsageRange | string =>
  range.to - range.from > HOURS_MAX * HOUR_MS
    ? "from: must be at most 31 days before to where hours are asked for; use days such as 2026-01-31"
    : range;

const startOf = (moment: Moment, timeZone: string): EpochMs =>
  "day" in moment ? daySpan(moment.day, timeZone).start : Math.floor(moment.at / HOUR_MS) * HOUR_MS;

const endOf = (moment: Moment, timeZone: string): EpochMs =>
  "day" in moment ? daySpan(moment.day, timeZone).end : Math.ceil(moment.at / HOUR_MS) * HOUR_MS;

/** The default's first day; noon keeps clear of changes of clocks. */
const daysBefore = (end: EpochMs, timeZone: string): EpochMs =>
  dayAt(dayAt(end - 1, timeZone).start + DAY_MS / 2 - (DAYS_DEFAULT - 1) * DAY_MS, timeZone).start;

/** The days from one to another, both included. */
export function daysBetween(first: string, last: string): string[] {
  const days: string[] = [];
  const end = Date.parse(last);
  for (let at = Date.parse(first); at <= end; at += DAY_MS)
    days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}

/** The starts of the hours that a range touches. */
export function hoursBetween({ from, to }: Pick<UsageRange, "from" | "to">): EpochMs[] {
  const first = Math.floor(from / HOUR_MS) * HOUR_MS;
  return Array.from({ length: Math.ceil((to - first) / HOUR_MS) }, (_, index) => first + index * HOUR_MS);
}
