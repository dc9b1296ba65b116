import { describe, expect, it } from "vitest";
import { forwardedHeaders, upstreamUrl } from "./request.ts";

const url = (base: string, path: string, query = "") => upstreamUrl(base, { path, query });

describe("upstreamUrl", () => {
  it.each([
    ["https://api.openai.com", "/v1/responses", "https://api.openai.com/v1/responses"],
    ["https://api.openai.com/v1", "/v1/responses", "https://api.openai.com/v1/responses"],
    ["https://api.openai.com/v1/", "/responses", "https://api.openai.com/v1/responses"],
    ["https://x.test/team/v1/responses", "/responses/compact", "https://x.test/team/v1/responses/compact"],
    ["https://x.test/team", "/v1/chat/completions", "https://x.test/team/chat/completions"],
    ["https://x.test/v1/chat/completions", "/v1/embeddings", "https://x.test/v1/embeddings"],
  ])("of %s and %s is %s", (base, path, expected) => {
    expect(url(base, path)).toBe(expected);
  });

  it("keeps the query", () => {
    expect(url("https://x.test/v1", "/responses", "a=b")).toBe("https://x.test/v1/responses?a=b");
  });
});

describe("forwardedHeaders", () => {
  it("lets pass what a client says of itself and its turn, and nothing of whose account it is", () => {
    const said = {
      originator: "codex_exec",
      "openai-beta": "x",
      "session-id": "s",
      "x-codex-turn-metadata": "{}",
      "x-stainless-lang": "js",
    };
    const kept = forwardedHeaders(
      new Headers({
        ...said,
        "openai-organization": "org-1",
        "openai-project": "p",
        "chatgpt-account-id": "a",
        "x-codex_odd": "1",
      }),
    );
    expect(Object.fromEntries(kept)).toEqual({
      ...said,
      "content-type": "application/json",
      "accept-encoding": "identity",
    });
  });
});
