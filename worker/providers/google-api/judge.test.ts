import { describe, expect, it } from "vitest";
import { judgeGoogle, judgeGoogleEvent, judgeGoogleKey } from "./judge.ts";
import { durationMs } from "./quota.ts";

/** Noon of a summer day in Los Angeles. */
const NOW = Date.UTC(2026, 6, 1, 19);
const MIDNIGHT = Date.UTC(2026, 6, 2, 7);

const TYPE = "type.googleapis.com/google.rpc.";
const retryInfo = (retryDelay: string) => ({ "@type": `${TYPE}RetryInfo`, retryDelay });
const errorInfo = (reason: string, metadata: object = {}) => ({
  "@type": `${TYPE}ErrorInfo`,
  reason,
  metadata,
});
const quotaFailure = (quotaId: string, quotaDimensions: object = {}) => ({
  "@type": `${TYPE}QuotaFailure`,
  violations: [{ quotaId, quotaDimensions }],
});

const judge = (
  status: number,
  error: { message?: string; status?: string; details?: unknown },
  headers: Record<string, string> = {},
) =>
  judgeGoogle(
    { status, headers: new Headers(headers), bodyText: JSON.stringify({ error }), model: "m" },
    NOW,
  );

describe("judgeGoogle", () => {
  it("rests a model until the delay that Google names, when a quota of the model is used up", () => {
    const details = [
      quotaFailure("GenerateRequestsPerMinutePerProjectPerModel", { model: "gemini-2.5-pro" }),
      retryInfo("12.3s"),
    ];
    expect(judge(429, { message: "Quota exceeded", details })).toMatchObject({
      kind: "failover",
      reason: "rate_limited",
      scope: "model",
      until: NOW + 12_300,
      error: { code: "rate_limited", message: "Quota exceeded", retryAfterMs: 12_300 },
    });
  });

  it("rests it until midnight at Google when the quota is a day's, whatever delay is named", () => {
    const details = [quotaFailure("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), retryInfo("7s")];
    expect(judge(429, { details })).toMatchObject({ scope: "model", until: MIDNIGHT });
  });

  it("rests the whole account when the quota is not one of a model", () => {
    const details = [quotaFailure("RequestsPerMinutePerProject"), retryInfo("3s")];
    expect(judge(429, { details })).toMatchObject({ scope: "account", until: NOW + 3000 });
  });

  it("reads what Code Assist says of its quotas", () => {
    const metadata = { model: "gemini-2.5-pro", quotaResetDelay: "2h15m30s" };
    expect(judge(429, { details: [errorInfo("QUOTA_EXHAUSTED", metadata)] })).toMatchObject({
      scope: "model",
      until: NOW + 8_130_000,
    });
    const quotaResetTimeStamp = new Date(NOW + 60_000).toISOString();
    expect(judge(429, { details: [errorInfo("X", { quotaResetTimeStamp })] })).toMatchObject({
      scope: "account",
      until: NOW + 60_000,
    });
  });

  it("takes a model without capacity for an overload", () => {
    expect(judge(429, { details: [errorInfo("MODEL_CAPACITY_EXHAUSTED")] })).toMatchObject({
      reason: "overloaded",
      scope: "model",
      switches: 1,
    });
    expect(judge(503, { message: "The model is overloaded. Please try again later." })).toMatchObject({
      reason: "overloaded",
      scope: "model",
      error: { code: "upstream_overloaded" },
    });
    expect(judge(503, { message: "Down" })).toMatchObject({ reason: "unavailable", scope: "account" });
  });

  it("falls back to retry-after, and then to none", () => {
    expect(judge(429, {}, { "retry-after": "30" })).toMatchObject({ until: NOW + 30_000 });
    expect(judge(429, { details: [retryInfo("soon")] })).toMatchObject({ until: null });
    expect(judge(429, { details: "nonsense" })).toMatchObject({ until: null, scope: "account" });
  });

  it("knows a wrong key, whatever status it comes with", () => {
    const wrong = { message: "API key not valid.", details: [errorInfo("API_KEY_INVALID")] };
    expect(judge(400, wrong)).toMatchObject({ kind: "refresh" });
    const facts = {
      status: 400,
      headers: new Headers(),
      bodyText: JSON.stringify({ error: wrong }),
      model: "m",
    };
    expect(judgeGoogleKey(facts, NOW)).toMatchObject({ kind: "failover", reason: "unauthorized" });
    expect(judge(401, {})).toMatchObject({ kind: "refresh" });
  });

  it.each([
    [
      400,
      { message: "contents is not specified", status: "INVALID_ARGUMENT" },
      { kind: "reject", bound: false },
    ],
    [400, { message: "Thought signature is not valid" }, { kind: "reject", bound: true }],
    [400, { message: "Enable billing", status: "FAILED_PRECONDITION" }, { reason: "payment" }],
    [
      400,
      { message: "User location is not supported", status: "FAILED_PRECONDITION" },
      { reason: "forbidden" },
    ],
    [403, { message: "Permission denied" }, { reason: "forbidden" }],
    [403, { message: "Your API key was reported as leaked." }, { kind: "disable" }],
    [403, { details: [errorInfo("CONSUMER_SUSPENDED")] }, { kind: "disable" }],
    [404, { message: "models/m is not found for API version v1beta" }, { reason: "model", scope: "model" }],
    [404, { message: "Requested entity was not found." }, { kind: "reject" }],
    [404, { message: "Not Found" }, { kind: "reject" }],
    [500, {}, { reason: "server_error" }],
    [504, {}, { reason: "timeout" }],
  ])("judges %i %j", (status, error, expected) => {
    expect(judge(status, error)).toMatchObject(expected);
  });

  it("reads an error that a streaming method wraps in an array", () => {
    const bodyText = JSON.stringify([{ error: { details: [retryInfo("5s")] } }]);
    const facts = { status: 429, headers: new Headers(), bodyText, model: "m" };
    expect(judgeGoogle(facts, NOW)).toMatchObject({ until: NOW + 5000 });
  });
});

describe("judgeGoogleEvent", () => {
  it.each([
    ["RESOURCE_EXHAUSTED", "", { reason: "rate_limited" }],
    ["UNAVAILABLE", "The model is overloaded.", { reason: "overloaded" }],
    ["UNAVAILABLE", "", { reason: "unavailable" }],
    ["INTERNAL", "", { reason: "server_error" }],
    ["DEADLINE_EXCEEDED", "", { reason: "timeout" }],
    ["UNAUTHENTICATED", "", { reason: "unauthorized" }],
    ["INVALID_ARGUMENT", "", { kind: "deliver" }],
  ])("takes %s (%s) as its status", (type, message, expected) => {
    expect(judgeGoogleEvent(type, message)).toMatchObject(expected);
  });
});

describe("durationMs", () => {
  it.each([
    ["12.3s", 12_300],
    ["500ms", 500],
    ["1h0m1s", 3_601_000],
    ["", NaN],
    ["-1s", NaN],
    ["soon", NaN],
  ])("reads %j as %d ms", (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });
});
