/** Google accounts signed in by OAuth: Code Assist around the Gemini API, its own calls, and tokens. Item 17. */
import { describe, expect, it } from "vitest";
import type { AccountView } from "../../worker/domain/account.ts";
import { answer } from "../upstream/behaviour.ts";
import {
  ARRAY_PATH,
  CONTENTS,
  createGeminiPair,
  createGoogleAccount,
  generate,
  messagesOf,
  MODEL,
  SSE_PATH,
  tokensOf,
} from "./setup/gemini.ts";
import { admin, fetchRelay, idle, unique, upstream, usageOf } from "./setup/relay.ts";

const PATHS = [`/gemini/v1beta/models/${MODEL}:generateContent`, SSE_PATH, ARRAY_PATH];
const ENVELOPE = {
  model: MODEL,
  project: "project-of-the-client",
  user_prompt_id: "prompt-1",
  request: { contents: CONTENTS, session_id: "session-1234" },
};

describe("17: calls of the Gemini API", () => {
  it.each(PATHS)("travel in the envelope, and their answers come without (%s)", async (path) => {
    const { family, account, key } = await createGoogleAccount();
    await upstream.recordBodies(family);
    const usage = { input_tokens: 700, output_tokens: 90, cache_read_input_tokens: 300 };
    await upstream.set(family, answer({ usage, chunkBytes: 11 }));
    const text = await (await generate(key, { path })).text();
    expect(text).not.toContain("traceId");
    const last = path.includes(":generate") ? (JSON.parse(text) as unknown) : messagesOf(path, text).at(-1);
    expect(last).toMatchObject({ candidates: [{ finishReason: "STOP" }], modelVersion: MODEL });
    const [entry] = await upstream.log(family);
    expect(entry?.path).toMatch(/^\/v1internal:(streamGenerateContent|generateContent)/);
    expect(entry?.body).toEqual({ model: MODEL, project: "project-1", request: { contents: CONTENTS } });
    const [record] = await usageOf(key);
    expect(tokensOf(record)).toMatchObject({ input: 700, output: 90, cacheRead: 300 });
    expect(record).toMatchObject({ outcome: "completed", estimated: false, provider: "gemini-oauth" });
    await idle(account, key);
  });

  it("count tokens without an envelope around the answer", async () => {
    const { key } = await createGoogleAccount();
    const response = await generate(key, { path: `/gemini/v1beta/models/${MODEL}:countTokens` });
    expect(await response.json()).toEqual({ totalTokens: expect.any(Number) as number });
  });

  it("hide an error in place of content, and name it when nobody else can serve", async () => {
    const { family, key } = await createGoogleAccount();
    const error = { errorType: "RESOURCE_EXHAUSTED", message: "Quota exceeded." };
    await upstream.set(family, { kind: "errorEvent", afterEvents: 0, ...error });
    for (const path of [SSE_PATH, ARRAY_PATH]) {
      const response = await generate(key, { path });
      expect(response.status).toBe(429);
      expect(await response.json()).toMatchObject({ error: { status: "RESOURCE_EXHAUSTED" } });
    }
  });
});

describe("17: calls of Code Assist", () => {
  it.each(["/gemini/v1internal:generateContent", "/v1internal:streamGenerateContent?alt=sse"])(
    "keep their envelope, with the account's project in it (%s)",
    async (path) => {
      const { family, key } = await createGoogleAccount();
      await upstream.recordBodies(family);
      const headers = { "content-type": "application/json", authorization: `Bearer ${key.key}` };
      const response = await fetchRelay(path, { method: "POST", headers, body: JSON.stringify(ENVELOPE) });
      expect(response.status).toBe(200);
      expect(await response.text()).toContain("traceId");
      const [entry] = await upstream.log(family);
      expect(entry?.body).toEqual({ ...ENVELOPE, project: "project-1" });
      const [record] = await usageOf(key);
      expect(record).toMatchObject({ model: MODEL, outcome: "completed", estimated: false });
      const { usage } = await upstream.statsOf(family);
      expect(tokensOf(record)).toMatchObject({ input: usage.inputTokens, output: usage.outputTokens });
    },
  );

  it.each(["loadCodeAssist", "onboardUser", "retrieveUserQuota", "listExperiments", "countTokens"])(
    "about the account are answered and not metered: %s",
    async (method) => {
      const { family, account, key } = await createGoogleAccount();
      const body = { request: { model: `models/${MODEL}`, contents: CONTENTS } };
      const response = await generate(key, { path: `/v1internal:${method}`, body });
      expect(response.status).toBe(200);
      expect(await upstream.statsOf(family)).toMatchObject({ requests: 0, otherRequests: 1 });
      await idle(account, key);
    },
  );

  it("find no account that has only an API key", async () => {
    const { account, key } = await createGeminiPair();
    const response = await generate(key, { path: "/v1internal:generateContent", body: ENVELOPE });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { status: "UNAVAILABLE" } });
    expect((await upstream.statsOf(account.secret)).requests).toBe(0);
  });
});

describe("tokens", () => {
  it("of a sign-in come with the project, and the account serves", async () => {
    const family = unique("google");
    const start = await admin("POST", "/accounts/oauth/start", { provider: "gemini-oauth" });
    const { sessionId, url } = await start.json<{ sessionId: string; url: string }>();
    const query = new URL(url).searchParams;
    expect(query.get("access_type")).toBe("offline");
    const code = `4/0A${unique("code").replaceAll(".", "")}`;
    await upstream.seedOAuth({
      family,
      rotates: false,
      code: { code, codeChallenge: query.get("code_challenge") ?? "" },
    });
    const response = await admin("POST", "/accounts/oauth/exchange", {
      sessionId,
      code,
      account: {
        name: unique("signed-in"),
        tokenUrl: `${upstream.url}/oauth/token`,
        baseUrl: upstream.url,
        groups: [family],
      },
    });
    expect(response.status).toBe(201);
    const account = await response.json<AccountView>();
    const created = await admin("POST", "/keys", {
      name: unique("key"),
      binding: { kind: "group", group: family },
    });
    const key = await created.json<{ id: string; key: string }>();
    await upstream.recordBodies(family);
    expect((await generate(key)).status).toBe(200);
    const entries = await upstream.log(family);
    expect(entries.map(({ path }) => path)).toEqual([
      "/v1internal:loadCodeAssist",
      "/v1internal:generateContent",
    ]);
    expect(entries.at(-1)?.body).toMatchObject({ project: "project-of-the-account" });
    await idle(account, key);
  });
});
