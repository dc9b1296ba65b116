import { describe, expect, it } from "vitest";
import {
  daysBetween,
  hoursBetween,
  momentSchema,
  steppedRange,
  usageRange,
  type UsageRange,
} from "./usage-range.ts";

const at = (text: string) => Date.parse(text);
const NOW = at("2026-11-21T15:00:00Z");
const BERLIN = "Europe/Berlin";
const moment = (text: string) => momentSchema.parse(text);

function rangeOf(from: string | undefined, to: string | undefined, zone = "UTC"): UsageRange {
  const found = usageRange(
    { from: from === undefined ? undefined : moment(from), to: to === undefined ? undefined : moment(to) },
    NOW,
    zone,
  );
  if (typeof found === "string") throw new Error(found);
  return found;
}

describe("usageRange", () => {
  it("is the last thirty days when nothing is said, today included", () => {
    const { firstDay, lastDay, isWholeDays } = rangeOf(undefined, undefined);
    expect([firstDay, lastDay, isWholeDays]).toEqual(["2026-10-23", "2026-11-21", true]);
    expect(daysBetween(firstDay, lastDay)).toHaveLength(30);
    // Over the end of summer time.
    expect(rangeOf(undefined, undefined, BERLIN).firstDay).toBe("2026-10-23");
  });

  it("takes days as the deployment's, both included, however long they are", () => {
    expect(rangeOf("2026-10-25", "2026-10-25", BERLIN)).toEqual({
      from: at("2026-10-24T22:00:00Z"),
      to: at("2026-10-25T23:00:00Z"),
      firstDay: "2026-10-25",
      lastDay: "2026-10-25",
      isWholeDays: true,
    });
  });

  it("widens instants to whole hours, and sees when they are whole days", () => {
    const hours = rangeOf("2026-11-20T10:20:00Z", "2026-11-20T12:00:01Z");
    expect([hours.from, hours.to]).toEqual([at("2026-11-20T10:00:00Z"), at("2026-11-20T13:00:00Z")]);
    expect(hours.isWholeDays).toBe(false);
    expect(rangeOf(String(at("2026-11-19")), "2026-11-20T00:00:00Z")).toMatchObject({
      lastDay: "2026-11-19",
      isWholeDays: true,
    });
  });

  it.each([
    ["2026-11-21", "2026-11-20"],
    ["2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"],
    ["2000-01-01", "2026-01-01"],
    ["2026-01-01T01:00:00Z", "2026-11-01"],
  ])("refuses %s to %s, and says why", (from, to) => {
    expect(usageRange({ from: moment(from), to: moment(to) }, NOW, "UTC")).toMatch(/^from: must be /);
  });
});

describe("momentSchema", () => {
  it.each(["2026-02-29", "2026-13-01", "yesterday", "", "1e99", "99999999999999999"])(
    "refuses %j",
    (text) => {
      expect(momentSchema.safeParse(text).success).toBe(false);
    },
  );
});

describe("steppedRange", () => {
  it("widens hours to the days they touch", () => {
    const range = rangeOf("2026-11-20T10:00:00Z", "2026-11-21T01:00:00Z");
    expect(steppedRange(range, "day", "UTC")).toMatchObject({ from: at("2026-11-20"), to: at("2026-11-22") });
    expect(steppedRange(range, "hour", "UTC")).toBe(range);
  });

  it("refuses the hours of more than a month", () => {
    expect(steppedRange(rangeOf("2026-01-01", "2026-03-01"), "hour", "UTC")).toMatch(/31 days/);
    expect(steppedRange(rangeOf("2026-10-01", "2026-10-31", BERLIN), "hour", BERLIN)).toMatchObject({});
  });
});

describe("hoursBetween", () => {
  it("has every hour that a range touches", () => {
    expect(hoursBetween({ from: 1_800_000, to: 7_200_001 })).toEqual([0, 3_600_000, 7_200_000]);
  });
});
