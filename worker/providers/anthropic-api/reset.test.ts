import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resetOf } from "./reset.ts";

const NOW = 1_900_000_000_000;
const RESET_S = NOW / 1000 + 3600;
const PREFIX = "anthropic-ratelimit-unified";

const limited = (claim: string, more: Readonly<Record<string, string>> = {}) =>
  resetOf(new Headers({ [`${PREFIX}-representative-claim`]: claim, ...more }), NOW);

describe("resetOf", () => {
  it("takes the claim's own reset before all others", () => {
    const headers = {
      [`${PREFIX}-7d_opus-reset`]: String(RESET_S),
      [`${PREFIX}-reset`]: String(RESET_S + 60),
    };
    expect(limited("seven_day_opus", { ...headers, "retry-after": "7" })).toEqual({
      until: RESET_S * 1000,
      family: true,
    });
  });

  it.each([
    [{ [`${PREFIX}-reset`]: String(RESET_S), "retry-after": "7" }, RESET_S * 1000],
    [{ "retry-after": "7" }, NOW + 7000],
    [{ "retry-after": new Date(NOW + 60_000).toUTCString() }, NOW + 60_000],
    [{ "retry-after": "-7" }, null],
    [{ "retry-after": "99999999" }, null],
    [{}, null],
  ])("of %j is %s", (headers, until) => {
    expect(limited("five_hour", headers)).toEqual({ until, family: false });
  });

  it("waits for the last of the exhausted windows of an API key", () => {
    const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();
    const headers = new Headers({
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": at(10),
      "anthropic-ratelimit-tokens-remaining": "0",
      "anthropic-ratelimit-tokens-reset": at(40),
      "anthropic-ratelimit-output-tokens-remaining": "5",
      "anthropic-ratelimit-output-tokens-reset": at(90),
    });
    expect(resetOf(headers, NOW)).toEqual({ until: NOW + 40_000, family: false });
  });

  it("never fails, and never names a time that is over, whatever the headers say", () => {
    const value = fc.oneof(
      fc.stringMatching(/^[\x20-\x7e]{0,20}$/),
      fc.constantFrom("toString", "constructor", "__proto__"),
    );
    fc.assert(
      fc.property(value, value, value, (claim, reset, retryAfter) => {
        const { until } = limited(claim, { [`${PREFIX}-reset`]: reset, "retry-after": retryAfter });
        expect(until === null || until > NOW).toBe(true);
      }),
    );
  });
});
