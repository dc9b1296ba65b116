import { describe, expect, it } from "vitest";
import { decodeRefusal, judgeBedrock } from "./judge.ts";

const NOW = 1_900_000_000_000;

const answer = (status: number, errorType: string | null, message: string) => ({
  status,
  headers: new Headers(errorType === null ? {} : { "x-amzn-errortype": errorType }),
  bodyText: JSON.stringify({ message }),
  model: "claude-sonnet-4-5",
});

describe("judgeBedrock", () => {
  it.each([
    [429, "ThrottlingException", "Too many tokens", { kind: "failover", reason: "rate_limited" }],
    [400, "ServiceQuotaExceededException", "Quota", { kind: "failover", reason: "rate_limited" }],
    [403, "AccessDeniedException", "Not authorized", { kind: "failover", reason: "forbidden" }],
    [403, "ExpiredTokenException", "Expired", { kind: "refresh", message: "Expired" }],
    [403, "UnrecognizedClientException", "Invalid", { kind: "refresh" }],
    [403, "InvalidSignatureException", "Wrong", { kind: "refresh" }],
    [400, "ValidationException", "messages: wrong", { kind: "reject", bound: false }],
    [404, "ResourceNotFoundException", "No such model", { kind: "failover", scope: "model" }],
    [429, "ModelNotReadyException", "Soon", { kind: "failover", reason: "unavailable" }],
    [503, "ServiceUnavailableException", "Later", { kind: "failover", reason: "unavailable" }],
    [500, "InternalServerException", "Oops", { kind: "failover", reason: "server_error" }],
    [424, "ModelErrorException", "Oops", { kind: "failover", reason: "server_error" }],
    [408, "ModelTimeoutException", "Late", { kind: "failover", reason: "timeout" }],
  ])("knows %i %s", (status, errorType, message, verdict) => {
    expect(judgeBedrock(answer(status, errorType, message), NOW)).toMatchObject(verdict);
  });

  it("goes by the status where no exception is named", () => {
    expect(judgeBedrock(answer(429, null, "Slow"), NOW)).toMatchObject({ reason: "rate_limited" });
    expect(judgeBedrock(answer(424, null, "Oops"), NOW)).toMatchObject({ reason: "server_error" });
  });

  it("finds the exception in the header with its namespace, and in the body", () => {
    const url = "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/";
    expect(judgeBedrock(answer(400, url, "Slow"), NOW)).toMatchObject({ reason: "rate_limited" });
    const bodyText = JSON.stringify({
      __type: "com.amazon.coral.service#ExpiredTokenException",
      Message: "Old",
    });
    expect(judgeBedrock({ ...answer(403, null, ""), bodyText }, NOW)).toEqual({
      kind: "refresh",
      message: "Old",
    });
  });

  it.each([
    [400, "ValidationException", "The provided model identifier is invalid."],
    [400, "ValidationException", "Invocation of model ID x with on-demand throughput isn’t supported."],
    [403, "AccessDeniedException", "You don't have access to the model with the specified model ID."],
  ])("lets only the model rest where it is the model that is missing: %i %s %s", (status, name, message) => {
    expect(judgeBedrock(answer(status, name, message), NOW)).toMatchObject({
      kind: "failover",
      scope: "model",
      error: { code: "model_not_found" },
    });
  });

  it("sees that a thinking block was signed elsewhere", () => {
    const message = "messages.1.content.0: Invalid `signature` in `thinking` block";
    expect(judgeBedrock(answer(400, "ValidationException", message), NOW)).toEqual({
      kind: "reject",
      bound: true,
    });
  });
});

describe("decodeRefusal", () => {
  it("says in Anthropic's form what Bedrock said", () => {
    expect(JSON.parse(decodeRefusal(answer(400, "ValidationException", "messages: wrong")))).toEqual({
      type: "error",
      error: { type: "invalid_request_error", message: "messages: wrong" },
    });
  });

  it("survives what is no error of Bedrock's", () => {
    for (const bodyText of ["", "null", "[]", "<html>", '{"message":7}', '{"__type":["x"]}']) {
      const refusal: unknown = JSON.parse(decodeRefusal({ ...answer(413, null, ""), bodyText }));
      expect(refusal).toMatchObject({ error: { type: "request_too_large" } });
    }
  });
});
