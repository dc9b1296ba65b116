import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dayOf, daySpan, monthsBefore, dayAt, weekAt, type Span } from "./calendar.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Zones with every kind of change: at midnight, at other hours, by half an hour, by a whole day, and none. */
const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/Sao_Paulo",
  "America/Havana",
  "Asia/Kathmandu",
  "Asia/Amman",
  "Africa/Cairo",
  "Australia/Lord_Howe",
  "Pacific/Apia",
];

const span = (start: string, end: string): Span => ({ start: Date.parse(start), end: Date.parse(end) });
const dateIn = (zone: string, at: number) =>
  new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" }).format(at);

const zone = fc.constantFrom(...ZONES);
const instant = fc.integer({ min: Date.UTC(2005, 0, 1), max: Date.UTC(2036, 0, 1) });
/** Around the days on which one of the zones changed its clocks. */
const change = fc
  .tuple(
    fc.constantFrom(
      Date.UTC(2011, 11, 30, 10),
      Date.UTC(2018, 10, 4, 3),
      Date.UTC(2019, 1, 17, 2),
      Date.UTC(2021, 9, 28, 22),
      Date.UTC(2026, 2, 29, 1),
      Date.UTC(2026, 9, 25, 1),
      Date.UTC(2026, 10, 1, 5),
      Date.UTC(2026, 3, 23, 22),
    ),
    fc.integer({ min: -30 * HOUR_MS, max: 30 * HOUR_MS }),
  )
  .map(([at, offset]) => at + offset);
const moment = fc.oneof(instant, change);

describe("dayAt", () => {
  it.each([
    ["UTC", "2026-05-01T12:00Z", "2026-05-01T00:00Z", "2026-05-02T00:00Z"],
    ["Asia/Kathmandu", "2026-05-01T18:15Z", "2026-05-01T18:15Z", "2026-05-02T18:15Z"],
    ["Asia/Kathmandu", "2026-05-01T18:14:59.999Z", "2026-04-30T18:15Z", "2026-05-01T18:15Z"],
  ])("begins and ends at the midnights of %s around %s", (timeZone, at, start, end) => {
    expect(dayAt(Date.parse(at), timeZone)).toEqual(span(start, end));
  });

  it.each([
    ["Europe/Berlin", "2026-03-29T12:00Z", 23],
    ["Europe/Berlin", "2026-10-25T12:00Z", 25],
    ["America/New_York", "2026-03-08T18:00Z", 23],
    ["America/New_York", "2026-11-01T18:00Z", 25],
    ["Australia/Lord_Howe", "2026-04-05T03:00Z", 24.5],
  ])("has the length of the day that changes the clocks in %s at %s: %d h", (timeZone, at, hours) => {
    const { start, end } = dayAt(Date.parse(at), timeZone);
    expect((end - start) / HOUR_MS).toBe(hours);
  });

  it("begins with the first instant after a midnight that was skipped", () => {
    // Clocks in São Paulo went from midnight to one o'clock on 4 November 2018, and back on 17 February 2019.
    expect(dayAt(Date.parse("2018-11-04T12:00Z"), "America/Sao_Paulo")).toEqual(
      span("2018-11-04T03:00Z", "2018-11-05T02:00Z"),
    );
    expect(dayAt(Date.parse("2019-02-17T02:30Z"), "America/Sao_Paulo")).toEqual(
      span("2019-02-16T02:00Z", "2019-02-17T03:00Z"),
    );
  });

  it("begins with the first of two midnights where the clocks go back to midnight", () => {
    // One o'clock became midnight in Amman on 29 October 2021.
    const day = span("2021-10-28T21:00Z", "2021-10-29T22:00Z");
    expect(dayAt(Date.parse("2021-10-28T21:30Z"), "Asia/Amman")).toEqual(day);
    expect(dayAt(Date.parse("2021-10-28T22:30Z"), "Asia/Amman")).toEqual(day);
    expect(dayAt(Date.parse("2026-11-01T04:30Z"), "America/Havana").start).toBe(
      Date.parse("2026-11-01T04:00Z"),
    );
  });

  it("goes from the 29th to the 31st where Samoa left out a day", () => {
    expect(dayAt(Date.parse("2011-12-30T09:00Z"), "Pacific/Apia")).toEqual(
      span("2011-12-29T10:00Z", "2011-12-30T10:00Z"),
    );
    expect(dayAt(Date.parse("2011-12-30T10:00Z"), "Pacific/Apia")).toEqual(
      span("2011-12-30T10:00Z", "2011-12-31T10:00Z"),
    );
  });

  it("is the calendar day of every one of its instants, and is followed at once by the next", () => {
    fc.assert(
      fc.property(zone, moment, (timeZone, at) => {
        const { start, end } = dayAt(at, timeZone);
        expect(start).toBeLessThanOrEqual(at);
        expect(end).toBeGreaterThan(at);
        expect(end - start).toBeGreaterThanOrEqual(23 * HOUR_MS);
        expect(end - start).toBeLessThanOrEqual(25 * HOUR_MS);
        const date = dateIn(timeZone, at);
        expect([dateIn(timeZone, start), dateIn(timeZone, end - 1)]).toEqual([date, date]);
        expect(dateIn(timeZone, start - 1)).not.toBe(date);
        expect(dayAt(end, timeZone).start).toBe(end);
        expect(dayAt(start - 1, timeZone).end).toBe(start);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("weekAt", () => {
  it.each([
    {
      timeZone: "UTC",
      at: "2026-05-06T12:00Z",
      day: 1,
      hour: 0,
      start: "2026-05-04T00:00Z",
      end: "2026-05-11T00:00Z",
    },
    {
      timeZone: "UTC",
      at: "2026-05-04T07:59:59Z",
      day: 1,
      hour: 8,
      start: "2026-04-27T08:00Z",
      end: "2026-05-04T08:00Z",
    },
    {
      timeZone: "UTC",
      at: "2026-05-04T08:00:00Z",
      day: 1,
      hour: 8,
      start: "2026-05-04T08:00Z",
      end: "2026-05-11T08:00Z",
    },
    {
      timeZone: "UTC",
      at: "2026-05-10T23:59:59Z",
      day: 7,
      hour: 23,
      start: "2026-05-10T23:00Z",
      end: "2026-05-17T23:00Z",
    },
    {
      timeZone: "Asia/Kathmandu",
      at: "2026-05-06T12:00Z",
      day: 3,
      hour: 0,
      start: "2026-05-05T18:15Z",
      end: "2026-05-12T18:15Z",
    },
    {
      timeZone: "America/New_York",
      at: "2026-03-06T12:00Z",
      day: 1,
      hour: 9,
      start: "2026-03-02T14:00Z",
      end: "2026-03-09T13:00Z",
    },
    {
      timeZone: "Europe/Berlin",
      at: "2026-10-22T12:00Z",
      day: 4,
      hour: 0,
      start: "2026-10-21T22:00Z",
      end: "2026-10-28T23:00Z",
    },
  ])("in $timeZone holds $at when weeks begin on day $day at $hour", (week) => {
    const { timeZone, at, day, hour, start, end } = week;
    expect(weekAt(Date.parse(at), timeZone, day, hour)).toEqual(span(start, end));
  });

  it("begins with the first of two hours of the same name", () => {
    // Three o'clock became two in Berlin on 25 October 2026, a Sunday.
    const first = Date.parse("2026-10-25T00:30Z");
    expect(weekAt(first, "Europe/Berlin", 7, 2).start).toBe(Date.parse("2026-10-25T00:00Z"));
  });

  it("holds the instant, begins on its weekday, and is followed at once by the next", () => {
    // Samoa's Friday of no length is left out: no hour of it was ever shown.
    const zoneOfHours = fc.constantFrom(...ZONES.filter((name) => name !== "Pacific/Apia"));
    const weekday = fc.integer({ min: 1, max: 7 });
    const hour = fc.integer({ min: 0, max: 23 });
    fc.assert(
      fc.property(zoneOfHours, moment, weekday, hour, (timeZone, at, day, startHour) => {
        const { start, end } = weekAt(at, timeZone, day, startHour);
        expect(start).toBeLessThanOrEqual(at);
        expect(end).toBeGreaterThan(at);
        expect(end - start).toBeGreaterThanOrEqual(7 * DAY_MS - HOUR_MS);
        expect(end - start).toBeLessThanOrEqual(7 * DAY_MS + HOUR_MS);
        expect(weekAt(end, timeZone, day, startHour).start).toBe(end);
        expect(weekAt(start - 1, timeZone, day, startHour).end).toBe(start);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("daySpan", () => {
  it.each([
    ["2026-03-29", "Europe/Berlin", 23],
    ["2026-10-25", "Europe/Berlin", 25],
    ["2026-10-25", "UTC", 24],
    ["2026-12-31", "Pacific/Kiritimati", 24],
  ])("of %s in %s has %s hours, and its own name from its first instant to its last", (day, zone, hours) => {
    const { start, end } = daySpan(day, zone);
    expect((end - start) / 3_600_000).toBe(hours);
    expect([dayOf(start, zone), dayOf(end - 1, zone)]).toEqual([day, day]);
    expect(dayOf(end, zone)).not.toBe(day);
  });
});

describe("monthsBefore", () => {
  it.each([
    ["2026-06-15", 3, "2026-03-15"],
    ["2026-05-31", 3, "2026-02-28"],
    ["2028-03-31", 1, "2028-02-29"],
    ["2026-01-31", 14, "2024-11-30"],
    ["2026-01-15", 0, "2026-01-15"],
  ])("of %s, %i months, is %s", (day, months, expected) => {
    expect(monthsBefore(day, months)).toBe(expected);
  });
});
