/** Google's dialect through the relay: conformance item 17. */
import { describe, expect, it } from "vitest";
import { answer, type Behaviour } from "../upstream/behaviour.ts";
import { googleStatus, invalidKey, modelOverloaded, quotaExceeded } from "../upstream/google/behaviours.ts";
import {
  ARRAY_PATH,
  createGeminiPair,
  createGeminiPool,
  generate,
  messagesOf,
  MODEL,
  SSE_PATH,
  tokensOf,
} from "./setup/gemini.ts";
import { accountView, fetchRelay, idle, upstream, usageOf } from "./setup/relay.ts";

const STREAMS = [SSE_PATH, ARRAY_PATH];

describe("bytes", () => {
  it("of the request arrive unchanged, unknown fields and white space included", async () => {
    const { account, key } = await createGeminiPair();
    await upstream.recordBodies(account.secret);
    const body = `{ "contents" : [{"parts":[{"text":"x"}]}],\r\n\t"unknown": [1.50, "é\\u00e9"], "generationConfig":{} }`;
    const headers = { "x-goog-api-key": key.key };
    const path = `/v1beta/models/${MODEL}:generateContent`;
    expect((await fetchRelay(path, { method: "POST", headers, body })).status).toBe(200);
    const [entry] = await upstream.log(account.secret);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body)));
    expect(entry?.bodySha256).toBe([...digest].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
  });
});

describe("17: usage", () => {
  const usage = { input_tokens: 1000, output_tokens: 200, cache_read_input_tokens: 5000 };
  it.each([`/gemini/v1beta/models/${MODEL}:generateContent`, ...STREAMS])(
    "counts cached tokens and thoughts to the token (%s)",
    async (path) => {
      const { account, key } = await createGeminiPair();
      await upstream.set(account.secret, answer({ usage }));
      await (await generate(key, { path })).text();
      const [record] = await usageOf(key);
      expect(tokensOf(record)).toMatchObject({ input: 1000, output: 200, cacheRead: 5000, cacheWrite5m: 0 });
      expect(record).toMatchObject({ protocol: "gemini", provider: "gemini-api", model: MODEL });
      expect(record).toMatchObject({ outcome: "completed", estimated: false });
      const stats = await upstream.statsOf(account.secret);
      expect(stats.usage).toMatchObject({ inputTokens: 1000, outputTokens: 200, cacheReadInputTokens: 5000 });
    },
  );

  it("of a count of tokens is none: it is not metered", async () => {
    const { account, key } = await createGeminiPair();
    const response = await generate(key, { path: `/gemini/v1beta/models/${MODEL}:countTokens` });
    expect(await response.json()).toMatchObject({ totalTokens: expect.any(Number) as number });
    await (await generate(key)).text();
    expect(await usageOf(key)).toHaveLength(1);
    await idle(account, key);
  });

  it("that the upstream does not report is marked as estimated, and so is one that cannot be", async () => {
    for (const behaviour of [
      answer({ omitUsage: true }),
      { kind: "malformed", what: "brokenUsage" },
    ] as const) {
      const { account, key } = await createGeminiPair();
      await upstream.set(account.secret, behaviour);
      await (await generate(key, { path: SSE_PATH })).text();
      expect((await usageOf(key))[0]).toMatchObject({ outcome: "completed", estimated: true });
    }
  });
});

describe("paths", () => {
  it.each([
    [`/gemini/v1beta/models/${MODEL}:generateContent`, `/v1beta/models/${MODEL}:generateContent`],
    [`/gemini/v1/models/${MODEL}:generateContent`, `/v1/models/${MODEL}:generateContent`],
    [`/v1/models/${MODEL}:countTokens`, `/v1/models/${MODEL}:countTokens`],
    [
      `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`,
      `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`,
    ],
    [
      `/v1/models/${MODEL}:streamGenerateContent?alt=sse`,
      `/v1/models/${MODEL}:streamGenerateContent?alt=sse`,
    ],
    [
      `/v1beta1/publishers/google/models/${MODEL}:streamGenerateContent?alt=sse`,
      `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`,
    ],
    [`/v1beta1/publishers/google/models/${MODEL}:generateContent`, `/v1beta/models/${MODEL}:generateContent`],
    [`/gemini/v1beta1/publishers/google/models/${MODEL}:countTokens`, `/v1beta/models/${MODEL}:countTokens`],
  ])("%s goes to %s", async (path, upstreamPath) => {
    const { account, key } = await createGeminiPair();
    expect((await generate(key, { path })).status).toBe(200);
    const [entry] = await upstream.log(account.secret);
    expect(entry?.path).toBe(upstreamPath);
  });

  it("take the relay key in any of the usual places, and pass it on in none", async () => {
    const { account, key } = await createGeminiPair();
    const none = { "x-goog-api-key": "" };
    const path = `/gemini/v1beta/models/${MODEL}:generateContent`;
    expect((await generate(key, { headers: { ...none, authorization: `Bearer ${key.key}` } })).status).toBe(
      200,
    );
    expect((await generate(key, { path: `${path}?key=${key.key}`, headers: none })).status).toBe(200);
    for (const entry of await upstream.log(account.secret)) {
      expect(JSON.stringify(entry)).not.toContain(key.key);
      expect(entry.headers["x-goog-api-key"]).toBe(account.secret);
    }
  });

  it("name the model that the account's map has for the client's", async () => {
    const { account, key } = await createGeminiPair({ modelMap: { "gemini-*": "tuned model" } });
    await (await generate(key)).text();
    const [entry] = await upstream.log(account.secret);
    expect(entry?.path).toBe("/v1beta/models/tuned%20model:generateContent");
    expect((await usageOf(key))[0]).toMatchObject({ requestedModel: MODEL, model: "tuned model" });
  });

  it("know no method but those of the API, and no other verb", async () => {
    const { key } = await createGeminiPair();
    expect((await generate(key, { path: `/gemini/v1beta/models/${MODEL}:embedContent` })).status).toBe(404);
    const headers = { "x-goog-api-key": key.key };
    const response = await fetchRelay(`/gemini/v1beta/models/${MODEL}:generateContent`, { headers });
    expect(response.status).toBe(405);
    expect(await response.json()).toMatchObject({ error: { code: 405, status: "INVALID_ARGUMENT" } });
  });

  it.each(["/gemini/v1beta/models", "/gemini/v1/models", "/v1beta/models"])(
    "list the models of Google alone, as Google does (%s)",
    async (path) => {
      const { key } = await createGeminiPair({ models: [MODEL, "gemini-mine"] });
      const response = await fetchRelay(path, { headers: { "x-goog-api-key": key.key } });
      const { models } = await response.json<{ models: { name: string }[] }>();
      expect(models.map(({ name }) => name).sort()).toEqual(["models/gemini-2.5-pro", "models/gemini-mine"]);
      expect(models[0]).toMatchObject({
        supportedGenerationMethods: ["generateContent", "streamGenerateContent", "countTokens"],
      });
    },
  );
});

describe("one model", () => {
  it("is told as Google tells it, or not found", async () => {
    const { key } = await createGeminiPair({ models: [MODEL] });
    const ask = (model: string) =>
      fetchRelay(`/gemini/v1beta/models/${model}`, { headers: { "x-goog-api-key": key.key } });
    expect(await (await ask(MODEL)).json()).toMatchObject({ name: `models/${MODEL}` });
    const missing = await ask("gemini-none");
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ error: { code: 404, status: "NOT_FOUND" } });
  });
});

describe("errors", () => {
  it("have Google's shape: an unknown key, a wrong body, a service the key may not use", async () => {
    const { key } = await createGeminiPair({}, { permissions: ["claude"] });
    const refusals: [Response, number, string][] = [
      [await generate({ key: `cr_${"0".repeat(64)}` }), 401, "UNAUTHENTICATED"],
      [await generate(key), 403, "PERMISSION_DENIED"],
      [await generate(key, { body: { contents: undefined } }), 400, "INVALID_ARGUMENT"],
    ];
    for (const [response, code, status] of refusals) {
      expect(response.status).toBe(code);
      expect(await response.json()).toMatchObject({ error: { code, status } });
    }
  });

  it("of the request are passed on in the upstream's own words", async () => {
    const { account, key } = await createGeminiPair();
    const refusal = googleStatus(400, "INVALID_ARGUMENT", "Please use a valid role: user, model.");
    await upstream.set(account.secret, refusal);
    const response = await generate(key);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(refusal.body);
  });

  it("of a quota rest the model, name the delay, and leave other models alone", async () => {
    const { accounts, key } = await createGeminiPool();
    const [account] = accounts;
    if (account === undefined) throw new Error("no account");
    const quota = quotaExceeded("GenerateRequestsPerMinutePerProjectPerModel", "42.5s");
    await upstream.set(account.secret, {
      kind: "perModel",
      models: [{ model: MODEL, then: quota }],
    });
    const response = await generate(key);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(30);
    expect(await response.json()).toMatchObject({
      error: {
        code: 429,
        status: "RESOURCE_EXHAUSTED",
        details: expect.arrayContaining([
          expect.objectContaining({ retryDelay: expect.stringMatching(/^4\ds$/) as string }),
        ]) as unknown[],
      },
    });
    const { status } = await accountView(account);
    expect(status?.cooldowns).toMatchObject([{ scope: "model", target: MODEL, reason: "rate_limited" }]);
    const other = await generate(key, { path: "/gemini/v1beta/models/gemini-2.5-flash:generateContent" });
    expect(other.status).toBe(200);
  });
});

describe("failover", () => {
  it.each<[string, Behaviour]>([
    ["a quota", quotaExceeded("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "1s")],
    ["a wrong key", invalidKey()],
    ["an overloaded model", modelOverloaded()],
    ["a broken upstream", googleStatus(500, "INTERNAL", "An internal error has occurred.")],
    ["a reset", { kind: "reset" }],
  ])("meets %s with another account", async (_, behaviour) => {
    const { accounts, key } = await createGeminiPool([{}, {}]);
    for (const { secret } of accounts.slice(0, 1)) await upstream.set(secret, behaviour);
    for (let turn = 0; turn < 3; turn++) expect((await generate(key)).status).toBe(200);
  });

  it.each(STREAMS)("meets an error in place of content, which the client never sees (%s)", async (path) => {
    const { accounts, key } = await createGeminiPool([{}, {}]);
    const [first] = accounts;
    if (first === undefined) throw new Error("no account");
    await upstream.set(first.secret, {
      kind: "errorEvent",
      afterEvents: 0,
      errorType: "UNAVAILABLE",
      message: "The model is overloaded.",
    });
    for (let turn = 0; turn < 3; turn++) {
      const text = await (await generate(key, { path })).text();
      expect(text).not.toContain("error");
      expect(messagesOf(path, text).at(-1)).toMatchObject({ candidates: [{ finishReason: "STOP" }] });
    }
  });
});
