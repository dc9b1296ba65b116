import { describe, expect, it } from "vitest";
import type { UpstreamCall } from "../provider.ts";
import { geminiApi, upstreamUrl } from "./index.ts";

const NOW = 1_900_000_000_000;
const PATH = "/v1beta/models/gemini-2.5-pro:generateContent";
const VERTEX_PATH = "/v1beta1/publishers/google/models/gemini-2.5-pro:generateContent";
const GOOGLE = "https://generativelanguage.googleapis.com";

describe("upstreamUrl", () => {
  it.each([
    [null, PATH, `${GOOGLE}${PATH}`],
    [null, "/v1/models/m:countTokens", `${GOOGLE}/v1/models/m:countTokens`],
    [null, VERTEX_PATH, `${GOOGLE}${PATH}`],
    ["https://x.test/", PATH, `https://x.test${PATH}`],
    ["https://x.test/v1beta", PATH, `https://x.test${PATH}`],
    ["https://x.test/base/v1", PATH, `https://x.test/base${PATH}`],
    ["https://x.test/api/models", PATH, "https://x.test/api/models/gemini-2.5-pro:generateContent"],
    ["https://x.test/{model}/do/{action}", PATH, "https://x.test/gemini-2.5-pro/do/generateContent"],
    ["https://aiplatform.googleapis.com", VERTEX_PATH, `https://aiplatform.googleapis.com${VERTEX_PATH}`],
  ])("puts base %s and path %s together", (base, path, url) => {
    expect(upstreamUrl(base, path)).toBe(url);
  });
});

describe("createRequest", () => {
  const call = (query: string): UpstreamCall => ({
    affinity: null,
    ...geminiApi.testCall(null),
    query,
    headers: new Headers({
      "x-goog-fieldmask": "candidates",
      "x-goog-user-project": "other",
      "x-goog-api-client": "sdk/1",
    }),
  });
  const requestOf = (query: string) =>
    geminiApi.createRequest(call(query), { apiKey: "AIza-secret" }, null, NOW);

  it("carries the key in its header, and never in the address", async () => {
    const { url, headers } = await requestOf("alt=sse");
    expect(headers.get("x-goog-api-key")).toBe("AIza-secret");
    expect(url).toBe(`${GOOGLE}/v1beta/models/gemini-2.5-flash-lite:generateContent?alt=sse`);
  });

  it("passes nothing on that could hide usage, name a payer or sign in", async () => {
    const { url, headers } = await requestOf(
      "fields=candidates&%24fields=x&access_token=t&%24httpHeaders=a&alt=json&prettyPrint=false",
    );
    expect(url.endsWith(":generateContent?alt=json")).toBe(true);
    expect([...headers.keys()].filter((name) => name.startsWith("x-goog"))).toEqual([
      "x-goog-api-client",
      "x-goog-api-key",
    ]);
    expect((await requestOf("alt=media")).url).not.toContain("?");
  });
});
