import { describe, expect, it } from "vitest";
import { judgeOpenAi, judgeOpenAiEvent } from "./judge.ts";

const NOW = 1_900_000_000_000;

const judge = (status: number, error: unknown = {}, headers: Record<string, string> = {}) =>
  judgeOpenAi(
    { status, headers: new Headers(headers), bodyText: JSON.stringify({ error }), model: "m" },
    NOW,
  );

describe("judgeOpenAi", () => {
  it.each([
    [400, { message: "Unsupported parameter" }, { kind: "reject", bound: false }],
    [400, { code: "invalid_encrypted_content", message: "x" }, { kind: "reject", bound: true }],
    [400, { code: "billing_hard_limit_reached" }, { kind: "failover", reason: "payment" }],
    [401, { code: "invalid_api_key", message: "Incorrect API key" }, { kind: "refresh" }],
    [401, { code: "account_deactivated", message: "Your account is closed." }, { kind: "disable" }],
    [402, {}, { kind: "failover", reason: "payment" }],
    [403, { code: "unsupported_country" }, { kind: "failover", reason: "forbidden" }],
    [403, { code: "model_not_found" }, { kind: "failover", scope: "model" }],
    [404, { code: "model_not_found" }, { kind: "failover", scope: "model", reason: "model" }],
    [404, { code: "DeploymentNotFound" }, { kind: "failover", scope: "model" }],
    [404, { message: "Response with id 'resp_1' not found." }, { kind: "reject" }],
    [408, {}, { kind: "failover", reason: "timeout" }],
    [413, {}, { kind: "reject" }],
    [429, { code: "insufficient_quota" }, { kind: "failover", reason: "payment", until: null }],
    [500, {}, { kind: "failover", reason: "server_error" }],
    [503, {}, { kind: "failover", reason: "unavailable" }],
    [503, { code: "server_is_overloaded" }, { kind: "failover", reason: "overloaded", switches: 1 }],
    [302, {}, { kind: "failover", reason: "server_error" }],
  ])("takes %s with %j for %j", (status, error, verdict) => {
    expect(judge(status, error)).toMatchObject(verdict);
  });

  it("knows the ChatGPT backend's word for a model outside the plan", () => {
    const bodyText = JSON.stringify({
      detail: "The 'gpt-9' model is not supported when using Codex with a ChatGPT account.",
    });
    expect(judgeOpenAi({ status: 400, headers: new Headers(), bodyText, model: "gpt-9" }, NOW)).toMatchObject(
      {
        kind: "failover",
        scope: "model",
      },
    );
  });

  it.each([
    [{ type: "usage_limit_reached", resets_in_seconds: 90 }, { "retry-after": "5" }, 90_000],
    [{ type: "usage_limit_reached", resets_at: NOW / 1000 + 30 }, {}, 30_000],
    [{}, { "retry-after-ms": "1500", "retry-after": "2" }, 1500],
    [{}, { "retry-after": "7" }, 7000],
    [
      {},
      {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "20ms",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "6m1.5s",
        "x-ratelimit-remaining-project-tokens": "9",
        "x-ratelimit-reset-project-tokens": "1h",
      },
      361_500,
    ],
    [{ message: "Limit 3, Used 3. Please try again in 1m2s. Visit …" }, {}, 62_000],
    [{ message: "Try again in 3 days." }, {}, 3 * 86_400_000],
    [{ message: "Try again in a while." }, { "x-ratelimit-reset-tokens": "6m0s" }, null],
    [{ resets_in_seconds: 1e12 }, { "retry-after": "-5", "retry-after-ms": "1e9" }, null],
  ] as const)("reads from a 429 with %j and %j that it serves again in %s ms", (error, headers, ms) => {
    expect(judge(429, error, headers)).toMatchObject({
      kind: "failover",
      reason: "rate_limited",
      until: ms === null ? null : NOW + ms,
      error: { retryAfterMs: ms },
    });
  });

  it("rests one model where the limit is the model's, and never tells the client whose account it is", () => {
    const message = "Rate limit reached for gpt-6-sol in organization org-secret on tokens per min (TPM).";
    const verdict = judge(429, { code: "rate_limit_exceeded", message });
    expect(verdict).toMatchObject({ scope: "model", message });
    expect(verdict).not.toMatchObject({
      error: { message: expect.stringContaining("org-secret") as string },
    });
    expect(judge(429, { type: "usage_limit_reached", message })).toMatchObject({ scope: "account" });
  });
});

describe("judgeOpenAiEvent", () => {
  it.each([
    ["server_error", "", { kind: "failover", reason: "server_error" }],
    ["server_is_overloaded", "", { kind: "failover", reason: "overloaded" }],
    ["insufficient_quota", "", { kind: "failover", reason: "payment" }],
    ["invalid_api_key", "", { kind: "failover", reason: "unauthorized" }],
    ["model_not_found", "", { kind: "failover", scope: "model" }],
    ["context_length_exceeded", "", { kind: "deliver" }],
    ["anything_else", "", { kind: "deliver" }],
    ["rate_limit_exceeded", "Please try again in 11.5s.", { reason: "rate_limited", until: NOW + 11_500 }],
    ["usage_limit_reached", "Limit. Try again in 90s.", { scope: "account", until: NOW + 90_000 }],
  ])("takes %s (%s) for %j", (type, message, verdict) => {
    expect(judgeOpenAiEvent(type, message, NOW)).toMatchObject(verdict);
  });
});
