/** Wall-clock times in the visitor's zone: shown in tables, entered in forms. Pure. */
import type { EpochMs } from "./domain";

/** The browser tells its zone in this cookie, so that the server renders the same times as the browser. */
export const TIME_ZONE_COOKIE = "edge_relay_time_zone";

export function parseTimeZone(name: string | undefined): string {
  if (name === undefined || name === "") return "UTC";
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return "UTC";
  }
}

type Part = "year" | "month" | "day" | "hour" | "minute" | "second";

/** Making a format costs far more than using it, and a page shows all its times in one zone: the last is kept. */
let latest = { timeZone: "", format: new Intl.DateTimeFormat("en-GB") };

function formatFor(timeZone: string): Intl.DateTimeFormat {
  if (latest.timeZone === timeZone) return latest.format;
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  latest = { timeZone, format };
  return format;
}

function wallClock(at: EpochMs, timeZone: string): Record<Part, string> {
  const clock: Record<Part, string> = { year: "", month: "", day: "", hour: "", minute: "", second: "" };
  for (const { type, value } of formatFor(timeZone).formatToParts(at)) {
    if (type in clock) clock[type as Part] = value;
  }
  return clock;
}

/** 2026-11-21 06:48:12 */
export function formatTime(at: EpochMs, timeZone: string): string {
  const { year, month, day, hour, minute, second } = wallClock(at, timeZone);
  return `${year}-${month}-${day} ${hour}:${minute}:${second}`;
}

/** 2026-11-21 */
export const formatDate = (at: EpochMs, timeZone: string): string => formatTime(at, timeZone).slice(0, 10);

/** 06:48:12 */
export const formatClock = (at: EpochMs, timeZone: string): string => formatTime(at, timeZone).slice(11);

/** 06:48 */
export function formatHour(at: EpochMs, timeZone: string): string {
  const { hour, minute } = wallClock(at, timeZone);
  return `${hour}:${minute}`;
}

/** The value of an `<input type="datetime-local">`. */
export function toLocalInput(at: EpochMs, timeZone: string): string {
  const { year, month, day, hour, minute } = wallClock(at, timeZone);
  return `${year}-${month}-${day}T${hour}:${minute}`;
}

/** Reads an `<input type="datetime-local">`; null when it is empty or no time. */
export function fromLocalInput(text: string, timeZone: string): EpochMs | null {
  const asIfUtc = Date.parse(`${text.length === 16 ? `${text}:00` : text}Z`);
  if (Number.isNaN(asIfUtc)) return null;
  // Twice: the first guess may lie on the other side of a daylight saving change.
  const guess = asIfUtc - offset(asIfUtc, timeZone);
  return asIfUtc - offset(guess, timeZone);
}

function offset(at: EpochMs, timeZone: string): number {
  const { year, month, day, hour, minute, second } = wallClock(at, timeZone);
  const shown = Date.UTC(+year, +month - 1, +day, +hour, +minute, +second);
  return shown - Math.floor(at / 1000) * 1000;
}
