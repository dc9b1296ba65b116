/** OpenAI's dialects through the relay: paths, usage to the token. Conformance item 16. */
import { describe, expect, it } from "vitest";
import { priceOf } from "../../worker/pricing/price.ts";
import { PRICE_TABLE } from "../../worker/pricing/table.ts";
import { answer, type Behaviour } from "../upstream/behaviour.ts";
import { chat, createOpenAiPair, DIALECTS, GPT, respond, type OpenAiCall } from "./setup/openai.ts";
import { createPair, fetchRelay, idle, unique, upstream, usageOf } from "./setup/relay.ts";

const USAGE = {
  input_tokens: 1000,
  output_tokens: 200,
  cache_read_input_tokens: 5000,
  cache_creation_input_tokens: 300,
  service_tier: "priority",
};
const TOKENS = {
  input: 1000,
  output: 200,
  cacheRead: 5000,
  cacheWrite5m: 300,
  cacheWrite1h: 0,
  webSearches: 0,
};

describe.each(DIALECTS)("$name", ({ call }) => {
  const asked = { stream: true, stream_options: { include_usage: true } };

  it.each([false, true])("sends the client's body as it came (stream: %s)", async (stream) => {
    const { account, key } = await createOpenAiPair();
    await upstream.recordBodies(account.secret);
    const body = { ...(stream ? asked : {}), temperature: 0.5, metadata: { a: "ü" }, nobody_knows: [1.5] };
    expect((await call(key, { body })).status).toBe(200);
    expect((await upstream.log(account.secret))[0]?.body).toMatchObject(body);
  });

  it.each([false, true])("16: books usage to the token, and its cost (stream: %s)", async (stream) => {
    const { account, key } = await createOpenAiPair();
    await upstream.set(account.secret, answer({ usage: USAGE }));
    await (await call(key, { body: stream ? asked : {} })).text();
    const [record] = await usageOf(key);
    const billed = { tokens: TOKENS, model: GPT, serviceTier: "priority", speed: null };
    expect(record).toMatchObject({
      tokens: TOKENS,
      serviceTier: "priority",
      outcome: "completed",
      estimated: false,
      provider: "openai-responses",
      ...priceOf(billed, record?.startedAt ?? 0, PRICE_TABLE),
    });
    await idle(account, key);
  });

  it.each([
    ["no usage", answer({ omitUsage: true })],
    ["figures that cannot be", { kind: "malformed", what: "brokenUsage" }],
  ] as readonly (readonly [string, Behaviour])[])("marks %s as estimated", async (_, behaviour) => {
    const { account, key } = await createOpenAiPair();
    await upstream.set(account.secret, behaviour);
    await (await call(key, { body: asked })).text();
    const [record] = await usageOf(key);
    expect(record?.estimated).toBe(true);
    expect(
      Object.values(record?.tokens ?? {}).every((count) => Number.isSafeInteger(count) && count >= 0),
    ).toBe(true);
  });

  it("never shows the account's organization, and never the relay key to the upstream", async () => {
    const { account, key } = await createOpenAiPair();
    const response = await call(key, { headers: { "openai-organization": "org-of-the-client" } });
    expect(JSON.stringify([...response.headers])).not.toContain("secret");
    const [entry] = await upstream.log(account.secret);
    expect(JSON.stringify(entry?.headers)).not.toContain(key.key);
    expect(entry?.headers["openai-organization"]).toBeUndefined();
  });
});

describe("paths", () => {
  it.each([
    "/v1/responses",
    "/responses",
    "/openai/v1/responses",
    "/openai/responses",
    "/api/v1/responses",
    "/v1/responses/compact",
    "/openai/responses/compact",
  ])("%s is a call of the Responses dialect", async (path) => {
    const { account, key } = await createOpenAiPair();
    expect((await respond(key, { path })).status).toBe(200);
    expect((await upstream.log(account.secret))[0]?.path).toBe(
      `/v1/responses${path.endsWith("/compact") ? "/compact" : ""}`,
    );
  });

  it.each(["/v1/chat/completions", "/openai/v1/chat/completions", "/api/v1/chat/completions"])(
    "%s is a call of the chat dialect",
    async (path) => {
      const { account, key } = await createOpenAiPair({ baseUrl: `${upstream.url}/v1` });
      expect((await chat(key, { path })).status).toBe(200);
      expect((await upstream.log(account.secret))[0]?.path).toBe("/v1/chat/completions");
    },
  );

  it.each([
    ["/v1/embeddings", { input: "Hello" }],
    ["/openai/v1/embeddings", { input: "Hello" }],
    ["/v1/images/generations", { prompt: "A cat" }],
    ["/openai/v1/images/generations", { prompt: "A cat" }],
  ])("%s passes, and is booked as far as the upstream tells", async (path, body) => {
    const { account, key } = await createOpenAiPair();
    const response = await chat(key, { path, body });
    const { usage } = await response.json<{ usage: { prompt_tokens: number } }>();
    expect((await usageOf(key))[0]).toMatchObject({
      tokens: { input: usage.prompt_tokens, output: 0 },
      estimated: false,
    });
    expect((await upstream.log(account.secret))[0]?.path).toBe(path.replace("/openai", ""));
  });

  it.each(["/v1/responses", "/responses", "/openai/responses", "/v1/chat/completions"])(
    "%s refuses a WebSocket with exactly 426",
    async (path) => {
      const { key } = await createOpenAiPair();
      const headers = { upgrade: "websocket", authorization: `Bearer ${key.key}` };
      const response = await fetchRelay(path, { headers });
      expect(response.status).toBe(426);
      expect(await response.json()).toMatchObject({ error: { code: "upgrade_required" } });
    },
  );

  it.each(["/azure/chat/completions", "/azure/responses", "/azure/embeddings"])(
    "%s admits Azure's deployments only",
    async (path) => {
      const apiKey = unique("azure");
      const azure = await createPair({
        provider: "azure-openai",
        credential: { apiKey, endpoint: upstream.url, deployment: "prod" },
        baseUrl: null,
      });
      const { key } = await createOpenAiPair();
      const send = path.endsWith("responses") ? respond : chat;
      const options: OpenAiCall = { path, body: { input: "Hello" } };
      expect((await send(azure.key, options)).status).toBe(200);
      const place = path.endsWith("responses") ? "" : "/deployments/prod";
      expect((await upstream.log(apiKey))[0]?.path).toBe(
        `/openai${place}${path.replace("/azure", "")}?api-version=2025-04-01-preview`,
      );
      expect((await send(key, options)).status).toBe(503);
    },
  );
});

describe("the usage chunk of a chat", () => {
  it("is asked for and hidden where the client did not ask", async () => {
    const { account, key } = await createOpenAiPair();
    await upstream.recordBodies(account.secret);
    await upstream.set(account.secret, answer({ usage: USAGE, chunkBytes: 5 }));
    const text = await (await chat(key, { body: { stream: true } })).text();
    expect((await upstream.log(account.secret))[0]?.body).toMatchObject({
      stream_options: { include_usage: true },
    });
    expect(text).not.toContain('"choices":[]');
    expect(text).toContain('"finish_reason":"stop"');
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect((await usageOf(key))[0]).toMatchObject({ tokens: TOKENS, estimated: false });
  });

  it("reaches the client that asked", async () => {
    const { key } = await createOpenAiPair();
    const body = { stream: true, stream_options: { include_usage: true } };
    expect(await (await chat(key, { body })).text()).toContain('"choices":[],"usage":{');
  });

  it("is asked for under the name that the account has for the model, wherever the options stand", async () => {
    const { account, key } = await createOpenAiPair({ modelMap: { "house-model": GPT } });
    await upstream.recordBodies(account.secret);
    const response = await fetchRelay("/v1/chat/completions", {
      method: "POST",
      headers: { authorization: `Bearer ${key.key}` },
      body: '{"stream_options":{"include_usage":false},"messages":[{"role":"user","content":"x"}],"stream":true,"model":"house-model"}',
    });
    expect(response.status).toBe(200);
    expect((await upstream.log(account.secret))[0]?.body).toMatchObject({
      model: GPT,
      stream_options: { include_usage: true },
    });
  });
});

describe("a conversation", () => {
  it("stays with its account by the session that Codex names, and so does a prompt without a name", async () => {
    for (const options of [
      { headers: { "session-id": unique("session") } },
      { body: { instructions: unique("Be kind."), input: [{ role: "user", content: "Hello" }] } },
    ]) {
      const secrets = [unique("sk"), unique("sk")];
      const group = unique("group");
      const { key } = await createOpenAiPair(
        { groups: [group], credential: { apiKey: secrets[0] } },
        {
          binding: { kind: "group", group },
        },
      );
      await createOpenAiPair({ groups: [group], credential: { apiKey: secrets[1] } });
      for (let turn = 0; turn < 6; turn++) expect((await respond(key, options)).status).toBe(200);
      const counts = await Promise.all(
        secrets.map(async (secret) => (await upstream.statsOf(secret)).requests),
      );
      expect(counts.toSorted((a, b) => a - b)).toEqual([0, 6]);
    }
  });
});

describe("the models of a key", () => {
  it("are listed in OpenAI's shape below its prefix, and among all others at the root", async () => {
    const { key } = await createOpenAiPair({ models: [GPT, "house-gpt"] });
    const get = async (path: string) =>
      (await fetchRelay(path, { headers: { authorization: `Bearer ${key.key}` } })).json<{
        object: string;
        data: { id: string; object: string }[];
      }>();
    const list = await get("/openai/v1/models");
    expect(list.object).toBe("list");
    expect(list.data.every(({ object }) => object === "model")).toBe(true);
    expect(list.data.map(({ id }) => id).sort()).toEqual([GPT, "house-gpt"]);
    expect((await get("/v1/models")).data.map(({ id }) => id).sort()).toEqual([GPT, "house-gpt"]);
  });
});
