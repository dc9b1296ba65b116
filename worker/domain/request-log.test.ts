import { describe, expect, it } from "vitest";
import { record } from "../../durable-objects/key/__fixtures__/builders.ts";
import { requestLine } from "./request-log.ts";

describe("requestLine", () => {
  const tokens = { input: 5, output: 7, cacheWrite5m: 11, cacheWrite1h: 13, cacheRead: 17, webSearches: 0 };

  it("counts the whole prompt as input, and its cached parts apart", () => {
    expect(requestLine(record(1, { tokens, provider: "claude-console" }))).toMatchObject({
      event: "request",
      requestId: "req_00000001",
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "claude-console",
      "gen_ai.request.model": "claude-sonnet-4-5",
      "gen_ai.usage.input_tokens": 46,
      "gen_ai.usage.output_tokens": 7,
      "gen_ai.usage.cache_read.input_tokens": 17,
      "gen_ai.usage.cache_creation.input_tokens": 24,
    });
  });

  it("says how a request failed, and nothing of how it was routed", () => {
    const told = {
      kind: "failed",
      account: "acc_00000001",
      reason: "network",
      message: "secret words",
    } as const;
    const routing = { candidates: [], candidatesTotal: 0, home: null, steps: [told] } as never;
    const line = requestLine(
      record(1, { error: "upstream_failed", outcome: "failed", status: 502, routing }),
    );
    expect(line).toMatchObject({ outcome: "failed", status: 502, "error.type": "upstream_failed" });
    expect(JSON.stringify(line)).not.toContain("secret words");
    expect(requestLine(record(1, { protocol: "gemini" }))["gen_ai.operation.name"]).toBe("generate_content");
  });
});
