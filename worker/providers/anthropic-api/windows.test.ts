import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { windowsOf } from "./windows.ts";

const NOW = 1_900_000_000_000;
const RESET_S = NOW / 1000 + 3600;

const headersOf = (windows: Readonly<Record<string, Readonly<Record<string, string>>>>): Headers => {
  const headers = new Headers();
  for (const [id, fields] of Object.entries(windows)) {
    for (const [name, value] of Object.entries(fields))
      headers.set(`anthropic-ratelimit-unified-${id}-${name}`, value);
  }
  return headers;
};

const window5h = (fields: Readonly<Record<string, string>>) =>
  windowsOf(headersOf({ "5h": { status: "allowed", ...fields } }), NOW)?.[0];

describe("windowsOf", () => {
  it("tells each window that the answer tells, in the order of their length", () => {
    const headers = headersOf({
      "7d_opus": { status: "rejected", utilization: "1", reset: String(RESET_S) },
      "7d": { status: "allowed", utilization: "0.5", reset: String(RESET_S) },
      "5h": { status: "allowed_warning", utilization: "0.91", reset: String(RESET_S) },
    });
    const resetAt = RESET_S * 1000;
    expect(windowsOf(headers, NOW)).toEqual([
      { id: "5h", status: "warning", utilization: 0.91, resetAt },
      { id: "7d", status: "allowed", utilization: 0.5, resetAt },
      { id: "7d_opus", status: "rejected", utilization: 1, resetAt },
    ]);
  });

  it("knows nothing of an answer without windows, such as an API key's", () => {
    expect(windowsOf(new Headers(), NOW)).toBeNull();
    expect(windowsOf(headersOf({ "7d_opus": { status: "allowed" } }), NOW)).toBeNull();
  });

  it("takes a status that it does not know for none", () => {
    expect(window5h({ status: "throttled" })).toMatchObject({ status: null });
    expect(window5h({ status: "toString" })?.status ?? null).toBeNull();
  });

  it.each([
    ["0.123456", 0.12],
    ["0.999", 1],
    ["1.7", 1],
    ["0", 0],
    ["-0.1", null],
    ["", null],
    ["many", null],
    ["Infinity", null],
  ])("reads a utilization of %j as %s", (utilization, expected) => {
    expect(window5h({ utilization })?.utilization).toBe(expected);
  });

  it.each([
    ["epoch seconds", String(RESET_S), RESET_S * 1000],
    ["a date", new Date(RESET_S * 1000).toISOString(), RESET_S * 1000],
    ["a time that is over", String(NOW / 1000 - 1), null],
    ["a time beyond any window", String(NOW / 1000 + 30 * 86_400), null],
    ["nonsense", "soon", null],
  ])("reads %s as the reset", (_, reset, expected) => {
    expect(window5h({ reset })?.resetAt).toBe(expected);
  });

  it("never fails, and never tells more than a share, whatever the headers say", () => {
    const value = fc.stringMatching(/^[\x20-\x7e]{0,20}$/);
    fc.assert(
      fc.property(value, value, value, (status, utilization, reset) => {
        const seen = window5h({ status, utilization, reset });
        expect(["allowed", "warning", "rejected", null]).toContain(seen?.status);
        const share = seen?.utilization ?? 0;
        expect(share >= 0 && share <= 1).toBe(true);
        expect((seen?.resetAt ?? NOW + 1) > NOW).toBe(true);
      }),
    );
  });
});
