import { describe, expect, it } from "vitest";
import { formatTime, fromLocalInput, parseTimeZone, toLocalInput } from "./time-zone";

describe("parseTimeZone", () => {
  it("falls back to UTC for anything that is no zone", () => {
    expect(parseTimeZone(undefined)).toBe("UTC");
    expect(parseTimeZone("Atlantis/Main_Street")).toBe("UTC");
    expect(parseTimeZone("Europe/Berlin")).toBe("Europe/Berlin");
  });
});

describe("formatTime", () => {
  it("shows the wall clock of the zone", () => {
    const at = Date.UTC(2030, 6, 1, 22, 30, 5);
    expect(formatTime(at, "UTC")).toBe("2030-07-01 22:30:05");
    expect(formatTime(at, "Europe/Berlin")).toBe("2030-07-02 00:30:05");
    expect(formatTime(at, "America/St_Johns")).toBe("2030-07-01 20:00:05");
  });
});

describe("fromLocalInput", () => {
  it.each(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])(
    "reads back what toLocalInput wrote, at every hour of a year in %s",
    (zone) => {
      for (let at = Date.UTC(2030, 0, 1); at < Date.UTC(2031, 0, 1); at += 3_600_000) {
        const text = toLocalInput(at, zone);
        const read = fromLocalInput(text, zone);
        // One hour a year has the same name twice; reading it may give either.
        expect(toLocalInput(read ?? 0, zone)).toBe(text);
      }
    },
  );

  it("refuses what is no time", () => {
    expect(fromLocalInput("", "UTC")).toBeNull();
    expect(fromLocalInput("tomorrow", "UTC")).toBeNull();
  });
});
