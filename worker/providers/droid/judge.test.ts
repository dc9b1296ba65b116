import { describe, expect, it } from "vitest";
import { judgeDroid, judgeDroidEvent } from "./judge.ts";

const NOW = 1_900_000_000_000;
const PROTOCOLS = ["anthropic", "openai-responses", "openai-chat"] as const;

const judged = (
  status: number,
  message: string,
  protocol: (typeof PROTOCOLS)[number],
  credentialPart: string | null = "0",
) => {
  const bodyText = message.startsWith("<") ? message : JSON.stringify({ error: { message } });
  const answer = { status, headers: new Headers(), bodyText, model: "m" };
  return judgeDroid(answer, NOW, { protocol, credentialPart });
};

describe.each(PROTOCOLS)("judgeDroid of an answer in %s", (protocol) => {
  it.each([401, 403])("takes one key out for a %i, and not the account", (status) => {
    expect(judged(status, "invalid key", protocol)).toEqual({ kind: "refresh", message: "invalid key" });
  });

  it("leaves a person's sign-in what it is in the dialect: refreshed for a 401, forbidden for a 403", () => {
    expect(judged(401, "expired", protocol, null).kind).toBe("refresh");
    expect(judged(403, "no", protocol, null)).toMatchObject({ kind: "failover", reason: "forbidden" });
  });

  it("blames no key for a model that it may not use, nor for a page before the API", () => {
    for (const message of ["This model is not in your plan", "<html>Attention required</html>"]) {
      expect(judged(403, message, protocol)).toMatchObject({ kind: "failover", reason: "forbidden" });
    }
  });

  it.each([
    [402, { kind: "failover", reason: "payment" }],
    [429, { kind: "failover", reason: "rate_limited" }],
    [400, { kind: "reject" }],
    [500, { kind: "failover", reason: "server_error" }],
  ])("reads a %i as the dialect does", (status, verdict) => {
    expect(judged(status, "so", protocol)).toMatchObject(verdict);
  });
});

describe("judgeDroid", () => {
  it("takes a closed organization for that of one key", () => {
    const message = "This organization has been disabled.";
    expect(judged(403, message, "anthropic")).toEqual({ kind: "refresh", message });
    expect(judged(403, message, "anthropic", null).kind).toBe("disable");
  });

  it("knows the errors of each dialect inside a stream", () => {
    expect(judgeDroidEvent("overloaded_error", "", NOW, "anthropic")).toMatchObject({ reason: "overloaded" });
    expect(judgeDroidEvent("insufficient_quota", "", NOW, "openai-chat")).toMatchObject({
      reason: "payment",
    });
    expect(judgeDroidEvent("insufficient_quota", "", NOW, "anthropic").kind).toBe("deliver");
  });
});
