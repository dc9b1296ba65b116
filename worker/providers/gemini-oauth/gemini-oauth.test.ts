import { describe, expect, it } from "vitest";
import type { TokenCall } from "../../domain/token-call.ts";
import type { UpstreamCall } from "../provider.ts";
import { geminiOAuth } from "./index.ts";
import { createUnwrapper, unwrapAnswer } from "./unwrap.ts";

const NOW = 1_900_000_000_000;
const CREDENTIAL = { accessToken: "ya29.a", refreshToken: "1//r", expiresAt: NOW, projectId: "project-1" };
const BASE = "https://cloudcode-pa.googleapis.com/v1internal";
const BODY = '{ "contents":[{"parts":[{"text":"Hi"}]}], "temperature" : 1.50, "unknown":"é" }';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function requestOf(
  path: string,
  body: string,
  more: Partial<UpstreamCall> = {},
  credential = CREDENTIAL,
) {
  const call = {
    ...geminiOAuth.testCall(null),
    path,
    body: bytesOf(body),
    headers: new Headers(),
    affinity: null,
    ...more,
  };
  const request = await geminiOAuth.createRequest(call, credential, null, NOW);
  return { ...request, text: textOf(request.body) };
}

describe("createRequest", () => {
  it("wraps a call of the Gemini API by bytes, so that nothing inside is rewritten", async () => {
    const { url, text, headers } = await requestOf(
      "/v1beta/models/x:streamGenerateContent",
      `\ufeff${BODY}`,
      {
        model: "gemini-2.5-pro",
        query: "alt=sse",
      },
    );
    expect(url).toBe(`${BASE}:streamGenerateContent?alt=sse`);
    expect(text).toBe(`{"model":"gemini-2.5-pro","project":"project-1","request":${BODY}}`);
    expect(headers.get("authorization")).toBe("Bearer ya29.a");
  });

  it("counts tokens with the model and the contents alone", async () => {
    const path = "/v1beta/models/x:countTokens";
    const expected = '{"request":{"model":"models/m","contents":[{"parts":[{"text":"Hi"}]}]}}';
    expect((await requestOf(path, BODY, { model: "m" })).text).toBe(expected);
    const nested = `{"generateContentRequest":${BODY}}`;
    expect((await requestOf(path, nested, { model: "m" })).text).toBe(expected);
  });

  it.each([
    ["generateContent", '{"model":"m","project":"client","request":{}}', { project: "project-1" }],
    ["generateContent", '{"model":"m","request":{}}', { project: "project-1", model: "m" }],
    ["retrieveUserQuota", "{}", { project: "project-1" }],
    ["loadCodeAssist", '{"metadata":{}}', { cloudaicompanionProject: "project-1" }],
  ])("puts the account's own project into %s %s", async (method, body, expected) => {
    const { url, text } = await requestOf(`/v1internal:${method}`, body);
    expect(url).toBe(`${BASE}:${method}`);
    expect(JSON.parse(text)).toMatchObject(expected);
  });

  it("leaves the client's project where the account has none", async () => {
    const body = '{"project":"client"}';
    const { text } = await requestOf("/v1internal:retrieveUserQuota", body, {}, {
      ...CREDENTIAL,
      projectId: null,
    } as never);
    expect(text).toBe(body);
  });
});

describe("unwrapping", () => {
  const inner = ['{"candidates":[{"x":"}\\"é"}]}', '{ "usageMetadata" : {} }'];
  const outer = inner.map((response) => `{"response":${response},"traceId":"t"}`);

  function unwrap(text: string, contentType: string, slice: number) {
    const filter = createUnwrapper(contentType, true);
    const bytes = bytesOf(text);
    let out = "";
    for (let at = 0; at < bytes.length; at += slice)
      out += textOf(filter.push(bytes.subarray(at, at + slice)));
    return out + textOf(filter.end());
  }

  it("gives the same for every slicing of events and of an array", () => {
    for (const slice of [1, 2, 3, 5, 7, 64, 1000]) {
      const events = [...outer, '{"error":{"code":500}}'].map((data) => `data: ${data}\n\n`).join("");
      expect(unwrap(events, "text/event-stream", slice)).toBe(
        [...inner, '{"error":{"code":500}}'].map((data) => `data: ${data}\r\n\r\n`).join(""),
      );
      expect(unwrap(`[${outer.join(",\n")}\n]`, "application/json", slice)).toBe(`[${inner.join(",\r\n")}]`);
    }
  });

  it("does not close an array that was broken off", () => {
    expect(unwrap(`[${outer[0] ?? ""},{"res`, "application/json", 9)).toBe(`[${inner[0] ?? ""}`);
    expect(unwrap("[]", "application/json", 1)).toBe("[]");
  });

  it.each([
    [outer[0] ?? "", inner[0] ?? ""],
    ['{"totalTokens":3}', '{"totalTokens":3}'],
    ["<html>", "<html>"],
  ])("makes %s a body of the Gemini API", async (body, expected) => {
    const answer = new Response(body, { headers: { "content-type": "application/json" } });
    expect(await unwrapAnswer(answer, false).text()).toBe(expected);
  });
});

describe("tokens", () => {
  function tokenContext(answers: Readonly<Record<string, unknown>>) {
    const asked: { url: string; body: string }[] = [];
    const call: TokenCall = async (url, { body }) => {
      asked.push({ url, body });
      const answer = Object.entries(answers).find(([part]) => url.includes(part))?.[1];
      return { status: answer === undefined ? 500 : 200, text: JSON.stringify(answer ?? {}) };
    };
    const clientSecrets = { "gemini-oauth": "public-secret" };
    return { asked, context: { call, now: NOW, tokenUrl: null, baseUrl: null, clientSecrets } };
  }
  const refreshed = { access_token: "ya29.b", expires_in: 3600 };

  it("are refreshed by a form, and the refresh token and the project stay", async () => {
    const { asked, context } = tokenContext({ token: refreshed });
    expect(await geminiOAuth.refresh?.(CREDENTIAL, context)).toEqual({
      kind: "refreshed",
      credential: { ...CREDENTIAL, accessToken: "ya29.b", expiresAt: NOW + 3_600_000 },
    });
    expect(asked).toHaveLength(1);
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toMatchObject({
      grant_type: "refresh_token",
      refresh_token: "1//r",
      client_secret: "public-secret",
    });
  });

  it("come with the project that Code Assist names", async () => {
    const { context } = tokenContext({
      token: { ...refreshed, refresh_token: "1//new" },
      loadCodeAssist: { currentTier: { id: "free-tier" }, cloudaicompanionProject: "found-1" },
    });
    expect(
      await geminiOAuth.oauth?.exchange({ code: "4/0code", state: "s", verifier: "v" }, context),
    ).toMatchObject({ kind: "refreshed", credential: { refreshToken: "1//new", projectId: "found-1" } });
  });

  it("sign a new account up, and are good without a project too", async () => {
    const tiers = { allowedTiers: [{ id: "legacy" }, { id: "free-tier", isDefault: true }] };
    const done = { done: true, response: { cloudaicompanionProject: { id: "made-1" } } };
    const signedUp = tokenContext({ token: refreshed, loadCodeAssist: tiers, onboardUser: done });
    const without = { ...CREDENTIAL, projectId: null };
    expect(await geminiOAuth.refresh?.(without, signedUp.context)).toMatchObject({
      credential: { projectId: "made-1" },
    });
    expect(JSON.parse(signedUp.asked.at(-1)?.body ?? "")).toMatchObject({ tierId: "free-tier" });
    const { context } = tokenContext({ token: refreshed });
    expect(await geminiOAuth.refresh?.(without, context)).toMatchObject({
      kind: "refreshed",
      credential: { projectId: null },
    });
  });

  it("cannot be had without the public client's secret", async () => {
    const { asked, context } = tokenContext({ token: refreshed });
    expect(await geminiOAuth.refresh?.(CREDENTIAL, { ...context, clientSecrets: {} })).toMatchObject({
      kind: "failed",
      message: "GEMINI_OAUTH_CLIENT_SECRET is not set.",
    });
    expect(asked).toEqual([]);
  });
});
