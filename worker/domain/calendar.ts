/** Days and weeks of a time zone as spans of epoch time. Pure: the zone's rules come with the runtime. */
import type { EpochMs } from "./ids.ts";

/** Half-open. */
export interface Span {
  readonly start: EpochMs;
  readonly end: EpochMs;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS_OF_WEEK = 7;

const FORMATS_MAX = 50;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    if (formats.size >= FORMATS_MAX) formats.clear();
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** The zone's wall clock at an instant, as if it were UTC. */
function wallClock(at: EpochMs, timeZone: string): EpochMs {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
}

/** The first instant at which the zone's clock shows a time; where a change of clocks skips it, the first one after. */
function instantOf(wall: EpochMs, timeZone: string): EpochMs {
  // Clocks change once in two days at most, so one of these two offsets applies: both, where a time comes twice.
  const instants = [wall - DAY_MS, wall + DAY_MS].map((near) => wall - (wallClock(near, timeZone) - near));
  const shown = instants.filter((instant) => wallClock(instant, timeZone) === wall);
  return shown.length === 0 ? Math.max(...instants) : Math.min(...shown);
}

/** The calendar day of an instant. */
export function dayAt(at: EpochMs, timeZone: string): Span {
  const midnight = Math.floor(wallClock(at, timeZone) / DAY_MS) * DAY_MS;
  return { start: instantOf(midnight, timeZone), end: instantOf(midnight + DAY_MS, timeZone) };
}

/**
 * The week of an instant, where weeks begin at an hour of a weekday.
 *
 * @param weekday 1 (Monday) to 7 (Sunday)
 * @param hour 0 to 23
 */
export function weekAt(at: EpochMs, timeZone: string, weekday: number, hour: number): Span {
  const wall = wallClock(at, timeZone);
  const midnight = Math.floor(wall / DAY_MS) * DAY_MS;
  // The epoch began on a Thursday, the fourth day.
  const today = ((midnight / DAY_MS + 3) % DAYS_OF_WEEK) + 1;
  const daysBack = (today - weekday + DAYS_OF_WEEK) % DAYS_OF_WEEK;
  let start = midnight - daysBack * DAY_MS + hour * HOUR_MS;
  if (start > wall) start -= DAYS_OF_WEEK * DAY_MS;
  return {
    start: instantOf(start, timeZone),
    end: instantOf(start + DAYS_OF_WEEK * DAY_MS, timeZone),
  };
}

/** @param day `YYYY-MM-DD` */
export function daySpan(day: string, timeZone: string): Span {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  return { start: instantOf(midnight, timeZone), end: instantOf(midnight + DAY_MS, timeZone) };
}

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

/** The same day of an earlier month, or that month's last. @param day `YYYY-MM-DD` */
export function monthsBefore(day: string, months: number): string {
  const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
  const lastOfMonth = new Date(Date.UTC(year, month - months, 0)).getUTCDate();
  const found = Date.UTC(year, month - 1 - months, Math.min(date, lastOfMonth));
  return new Date(found).toISOString().slice(0, 10);
}
