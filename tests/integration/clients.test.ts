/** What real clients send and expect, beside the plain call of their dialect. */
import { describe, expect, it } from "vitest";
import { answer, rateLimited } from "../upstream/behaviour.ts";
import { chat, createOpenAiPair, GPT, respond } from "./setup/openai.ts";
import { call, createPair, fetchRelay, messagesBody, unique, upstream, usageOf } from "./setup/relay.ts";

const get = (path: string, key: { key: string }) =>
  fetchRelay(path, { headers: { authorization: `Bearer ${key.key}` } });

describe("paths", () => {
  it.each([
    "/v1/messages",
    "/v1/messages?beta=true",
    "/api/v1/messages",
    "/claude/v1/messages",
    "/api/claude/v1/messages",
    "//v1/messages",
    "/api//v1/messages",
    "/v1/messages/",
  ])("%s is served", async (path) => {
    const { account, key } = await createPair();
    expect((await call(key, { path })).status).toBe(200);
    expect((await upstream.log(account.secret))[0]?.path).toBe(
      path.includes("beta") ? "/v1/messages?beta=true" : "/v1/messages",
    );
  });

  it.each(["", "/v1", "/v1/messages", "/", "/v1/"])(
    "reach an account whose base URL ends in %j",
    async (suffix) => {
      const { account, key } = await createPair({ baseUrl: `${upstream.url}/team${suffix}` });
      expect((await call(key)).status).toBe(200);
      expect((await upstream.log(account.secret))[0]?.path).toBe("/team/v1/messages");
    },
  );

  it.each(["/v1", "/api/v1", "/claude/v1"])(
    "%s/messages/count_tokens is relayed and not booked",
    async (prefix) => {
      const { account, key } = await createPair();
      const response = await call(key, { path: `${prefix}/messages/count_tokens?beta=true` });
      expect(await response.json()).toMatchObject({ input_tokens: expect.any(Number) as number });
      expect((await upstream.log(account.secret))[0]?.path).toBe("/v1/messages/count_tokens?beta=true");
      await call(key);
      expect(await usageOf(key)).toHaveLength(1);
    },
  );

  it("HEAD / and HEAD /api/hello answer without a key", async () => {
    for (const path of ["/", "/api/hello", "/api/api/hello", "/claude/api/hello"]) {
      const response = await fetchRelay(path, { method: "HEAD" });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("");
    }
  });

  it.each(["/api/event_logging/batch", "/api/api/event_logging/batch", "/claude/api/event_logging/v2/batch"])(
    "telemetry on %s goes nowhere",
    async (path) => {
      const response = await fetchRelay(path, { method: "POST", body: "{}" });
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ success: true });
    },
  );

  it("GET /health answers", async () => {
    expect(await (await fetchRelay("/health")).json()).toMatchObject({ status: "ok" });
  });
});

describe("a key's holder", () => {
  it("sees the models in Anthropic's form, those of the accounts included", async () => {
    const { key } = await createPair({ models: ["claude-sonnet-*", "house-model"] });
    const list = await (
      await get("/v1/models?limit=1000", key)
    ).json<{ data: { id: string; type: string }[] }>();
    const ids = list.data.map(({ id }) => id);
    const { key: other } = await createPair();
    expect(await (await get("/v1/models", other)).text()).not.toContain("house-model");
    expect(ids).toContain("house-model");
    expect(ids.some((id) => id.startsWith("claude-sonnet-"))).toBe(true);
    expect(ids.some((id) => id.startsWith("claude-opus-"))).toBe(false);
    expect(list).toMatchObject({ has_more: false, first_id: ids[0], last_id: ids.at(-1) });
  });

  it("sees who the key is and what it used", async () => {
    const { account, key } = await createPair();
    await upstream.set(
      account.secret,
      answer({
        usage: {
          input_tokens: 7,
          output_tokens: 5,
          cache_read_input_tokens: 0,
          cache_creation_input_tokens: 0,
          cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
        },
      }),
    );
    await call(key);
    await usageOf(key);
    expect(await (await get("/v1/me", key)).json()).toMatchObject({ type: "user", display_name: key.name });
    expect(await (await get("/v1/usage", key)).json()).toMatchObject({ usage: { requests: 1, tokens: 12 } });
    expect(await (await get("/api/v1/key-info", key)).json()).toMatchObject({
      keyInfo: { name: key.name, usage: { requests: 1 } },
    });
    expect(await (await get("/v1/organizations/any/usage", key)).json()).toMatchObject({ object: "usage" });
  });

  it.each(["/v1/models", "/v1/me", "/v1/usage", "/v1/key-info", "/v1/organizations/x/usage"])(
    "must be one: %s",
    async (path) => {
      const response = await get(path, { key: `cr_${"d".repeat(64)}` });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ type: "error", error: { type: "authentication_error" } });
    },
  );
});

describe("a call", () => {
  it("may hold system messages among its messages, consecutive user messages, and fields that nobody knows", async () => {
    const { account, key } = await createPair();
    await upstream.recordBodies(account.secret);
    const body = messagesBody({
      messages: [
        { role: "user", content: "a" },
        { role: "user", content: "b" },
        { role: "system", content: [{ type: "text", text: "c" }], output_config: { effort: "low" } },
      ],
      thinking: { type: "adaptive", display: "omitted" },
      context_management: { edits: [{ type: "clear_thinking_20251015" }] },
      tools: [{ name: "t", defer_loading: true, input_schema: {} }],
    });
    expect((await call(key, { body })).status).toBe(200);
    expect((await upstream.log(account.secret))[0]?.body).toEqual(body);
  });

  it.each(["2023-06-01", "2026-10-21", "any-other"])(
    "may name anthropic-version %s, which passes unchecked",
    async (version) => {
      const { account, key } = await createPair();
      await call(key, { headers: { "anthropic-version": version } });
      expect((await upstream.log(account.secret))[0]?.headers["anthropic-version"]).toBe(version);
    },
  );

  it("keeps its list of beta flags, to which only an OAuth account's own is added", async () => {
    const { account, key } = await createPair();
    await call(key, { headers: { "anthropic-beta": "x-1,y-2" } });
    expect((await upstream.log(account.secret))[0]?.headers["anthropic-beta"]).toBe("x-1,y-2");
    const { account: oauth, key: oauthKey } = await createPair({
      provider: "claude-oauth",
      credential: { accessToken: `token-${crypto.randomUUID()}`, refreshToken: "", expiresAt: null },
    });
    await call(oauthKey, { headers: { "anthropic-beta": "x-1,y-2" } });
    const log = await upstream.log();
    const entry = log.findLast(({ headers }) => headers["anthropic-beta"]?.includes("oauth"));
    expect(entry?.headers["anthropic-beta"]).toBe("oauth-2025-04-20,x-1,y-2");
    expect(oauth.provider).toBe("claude-oauth");
  });

  it("gets the upstream's retry-after passed on", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, rateLimited({ retryAfterS: 2 }));
    const response = await call(key);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeLessThanOrEqual(2);
  });
});

describe("Codex", () => {
  /** As version 0.169 sends it for a model that it knows: no instructions, and its tools among the items. */
  const body = {
    model: GPT,
    stream: true,
    store: false,
    tool_choice: "auto",
    parallel_tool_calls: false,
    include: ["reasoning.encrypted_content"],
    prompt_cache_key: "01a1fe50-28ed-7030-8a3e-80004f903745",
    client_metadata: { "x-codex-window-id": "01a1fe50:0" },
    input: [
      {
        type: "additional_tools",
        role: "developer",
        tools: [{ type: "namespace", name: "functions", tools: [{ type: "custom", name: "exec" }] }],
      },
      { type: "message", role: "developer", content: [{ type: "input_text", text: "You are Codex." }] },
      { type: "custom_tool_call", call_id: "c", name: "exec", input: "text(1)", status: "completed" },
      { type: "custom_tool_call_output", call_id: "c", output: [{ type: "input_text", text: "1" }] },
      { type: "message", role: "user", content: [{ type: "input_text", text: "go on" }] },
    ],
  };
  const session = "01a1fe50-28ed-7030-8a3e-80004f903745";
  const headers = {
    originator: "codex_exec",
    "session-id": session,
    "thread-id": session,
    version: "0.169.0",
  };

  it("tries a WebSocket, is refused, and has its call answered as events at once, unchanged", async () => {
    const { account, key } = await createOpenAiPair();
    await upstream.recordBodies(account.secret);
    const upgrade = { upgrade: "websocket", authorization: `Bearer ${key.key}`, ...headers };
    expect((await fetchRelay("/v1/responses", { headers: upgrade })).status).toBe(426);
    const response = await respond(key, { body, headers });
    expect(await response.text()).toContain("response.completed");
    const log = await upstream.log(account.secret);
    expect(log).toHaveLength(1);
    expect(log[0]).toMatchObject({ path: "/v1/responses", body, headers });
    expect(await usageOf(key)).toHaveLength(1);
  });

  it("has its call passed to a ChatGPT plan with all its items", async () => {
    const accessToken = unique("at");
    const { key } = await createPair({
      provider: "openai-oauth",
      credential: { accessToken, refreshToken: "", expiresAt: null },
      baseUrl: `${upstream.url}/backend-api/codex`,
    });
    await upstream.recordBodies(accessToken);
    expect(await (await respond(key, { body, headers })).text()).toContain("response.completed");
    expect((await upstream.log(accessToken))[0]?.body).toEqual(body);
  });
});

describe("Droid", () => {
  it("names the organization of its maker, which stays here", async () => {
    const { account, key } = await createOpenAiPair();
    const headers = { "openai-platform": "org-bHuLtG1f", "user-agent": "factory-cli/0.215.0" };
    for (const send of [respond, chat]) expect((await send(key, { headers })).status).toBe(200);
    expect(JSON.stringify(await upstream.log(account.secret))).not.toContain("org-bHuLtG1f");
  });
});
