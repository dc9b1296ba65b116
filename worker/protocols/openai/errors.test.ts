import { describe, expect, it } from "vitest";
import { ERROR_STATUS, type RelayErrorCode } from "../../domain/errors.ts";
import { renderErrorEvent as chatEvent } from "../openai-chat/errors.ts";
import { renderErrorEvent as responsesEvent } from "../openai-responses/errors.ts";
import { renderError } from "./errors.ts";

const CODES = Object.keys(ERROR_STATUS) as RelayErrorCode[];
const facts = (code: RelayErrorCode) => ({ code, message: "what went wrong", retryAfterMs: null });

describe("renderError", () => {
  it.each(CODES)("has OpenAI's shape for %s", (code) => {
    const { status, body } = renderError(facts(code), "req_1");
    expect(status).toBeGreaterThanOrEqual(400);
    expect(JSON.parse(body)).toMatchObject({
      error: { message: "what went wrong", type: expect.any(String) as string, param: null },
    });
  });

  it("names the limit that refused as its code", () => {
    const { body } = renderError({ ...facts("rate_limited"), reason: "requests_per_minute" }, "req_1");
    expect(JSON.parse(body)).toMatchObject({ error: { code: "requests_per_minute" } });
  });

  it("speaks of an overload with 503", () => {
    expect(renderError(facts("upstream_overloaded"), "req_1").status).toBe(503);
  });
});

describe("renderErrorEvent", () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

  it("is a failed response in the Responses dialect", () => {
    const event = text(responsesEvent(facts("upstream_interrupted"), "req_1", false));
    expect(event).toMatch(/^\n\nevent: response\.failed\ndata: \{/);
    expect(JSON.parse(event.split("data: ")[1] ?? "")).toMatchObject({
      response: { status: "failed", error: { code: "server_error", message: "what went wrong" } },
    });
  });

  it("is a data frame in the chat dialect, without the mark of a whole answer", () => {
    const event = text(chatEvent(facts("upstream_timeout"), "req_1", true));
    expect(JSON.parse(event.replace("data: ", ""))).toMatchObject({ error: { code: "timeout" } });
    expect(event).not.toContain("[DONE]");
  });
});
