/** What goes wrong at OpenAI's upstreams, and what a client and the account see of it (docs/failures.md). */
import { describe, expect, it } from "vitest";
import type { AccountView } from "../../worker/domain/account.ts";
import { answer, gatewayPage, openAiError, type Behaviour } from "../upstream/behaviour.ts";
import { createOpenAiPair, createOpenAiPool, DIALECTS, GPT, respond } from "./setup/openai.ts";
import {
  accountView,
  admin,
  call,
  createPair,
  eventually,
  idle,
  stream,
  unique,
  upstream,
  usageOf,
} from "./setup/relay.ts";

const HIDDEN: Behaviour = {
  kind: "errorEvent",
  afterEvents: 0,
  errorType: "server_error",
  message: "The server had an error",
};
const RESPONSES = DIALECTS[0];

describe.each(DIALECTS)("$name", ({ name, call: send, end }) => {
  const isResponses = name === RESPONSES.name;
  const streaming = { body: { stream: true } };

  it.each([
    ["a reset connection", { kind: "reset" }],
    ["HTTP 500", openAiError(500, { code: "server_error" })],
    ["HTTP 503", openAiError(503, { code: "server_is_overloaded" })],
    ["a page", gatewayPage(502)],
    ["a limit", openAiError(429, { code: "rate_limit_exceeded" }, { "retry-after": "30" })],
    ["an empty purse", openAiError(429, { code: "insufficient_quota" })],
    ["a refused key", openAiError(401, { code: "invalid_api_key" })],
    ["a model it does not have", openAiError(404, { code: "model_not_found" })],
    ["an error before any content", HIDDEN],
    ["a stream that breaks before its first event", { kind: "cut", afterEvents: 0, mode: "reset" }],
  ] as readonly (readonly [string, Behaviour])[])(
    "goes to the next account after %s",
    async (_, behaviour) => {
      const { first, second, key } = await createOpenAiPool();
      await upstream.set(first.secret, behaviour);
      const response = await send(key, streaming);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain(end);
      expect((await usageOf(key))[0]).toMatchObject({
        accountId: second.id,
        outcome: "completed",
        attempts: 2,
      });
      await idle(second, key);
    },
  );

  it("tells an upstream's failure in its own shape, with the reason to wait", async () => {
    const { account, key } = await createOpenAiPair();
    const message = "Rate limit reached in organization org-secret. Please try again in 40s.";
    await upstream.set(account.secret, openAiError(429, { code: "rate_limit_exceeded", message }));
    const response = await send(key, streaming);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(30);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      error: { code: "rate_limit_exceeded", type: "requests", param: null },
    });
    expect(text).not.toContain("org-secret");
    const { status } = await eventually(
      () => accountView(account),
      (view) => (view.status?.cooldowns.length ?? 0) > 0,
    );
    expect(status?.cooldowns[0]).toMatchObject({ reason: "rate_limited", scope: "account" });
  });

  it("passes the upstream's own refusal of a request", async () => {
    const { account, key } = await createOpenAiPair();
    await upstream.set(account.secret, openAiError(400, { code: "unsupported", message: "Not that." }));
    const response = await send(key);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "unsupported", message: "Not that." } });
  });

  it("turns an account's 401 into a failure of the upstream", async () => {
    const { account, key } = await createOpenAiPair();
    await upstream.set(account.secret, openAiError(401, { code: "invalid_api_key" }));
    expect((await send(key)).status).toBe(502);
  });

  it("refuses what is no call, and a key that is none", async () => {
    const { key } = await createOpenAiPair();
    const missing = await send(key, { body: { model: undefined } });
    expect(missing.status).toBe(400);
    expect(await missing.json()).toMatchObject({ error: { type: "invalid_request_error", param: null } });
    const unknown = await send({ key: `cr_${"e".repeat(64)}` });
    expect(unknown.status).toBe(401);
    expect(await unknown.json()).toMatchObject({ error: { code: "invalid_api_key" } });
  });

  it.each(["reset", "cleanEnd"] as const)(
    "ends a stream that was cut (%s) with an error of its own",
    async (mode) => {
      const { account, key } = await createOpenAiPair();
      await upstream.set(account.secret, {
        kind: "cut",
        afterEvents: 12,
        mode,
        midEvent: mode === "reset",
        answer: { events: 40, text: "word ".repeat(400), eventIntervalMs: 5 },
      });
      const text = await (await send(key, streaming)).text();
      const last = text.trim().split("\n").at(-1) ?? "";
      const event = JSON.parse(last.replace(/^data: /, "")) as unknown;
      expect(event).toMatchObject(
        isResponses
          ? { type: "response.failed", response: { error: { code: "server_error" } } }
          : { error: { code: "server_error" } },
      );
      expect(text).not.toContain("[DONE]");
      const [record] = await usageOf(key);
      expect(record).toMatchObject({ outcome: "interrupted", estimated: true });
      expect(record?.tokens.output).toBeGreaterThan(0);
      await idle(account, key);
    },
  );

  it("passes an error behind content, and the account learns of it", async () => {
    const { account, key } = await createOpenAiPair();
    await upstream.set(account.secret, {
      ...HIDDEN,
      afterEvents: 6,
      errorType: "usage_limit_reached",
      message: "The limit is reached. Try again in 90s.",
    });
    expect(await (await send(key, streaming)).text()).toContain("usage_limit_reached");
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "interrupted", error: "usage_limit_reached" });
    const { status } = await eventually(
      () => accountView(account),
      (view) => (view.status?.cooldowns.length ?? 0) > 0,
    );
    const cooldown = status?.cooldowns[0];
    expect(cooldown?.reason).toBe("rate_limited");
    expect(Math.abs((cooldown?.until ?? 0) - Date.now() - 90_000)).toBeLessThan(60_000);
  });

  it("stops the upstream when the client leaves, and books what was seen", async () => {
    const { account, key } = await createOpenAiPair();
    await upstream.set(account.secret, { kind: "endless", intervalMs: 5 });
    const controller = new AbortController();
    const response = await send(key, { ...streaming, signal: controller.signal });
    const reader = response.body?.getReader();
    for (let pieces = 0; pieces < 5; pieces++) await reader?.read();
    controller.abort();
    await reader?.cancel().catch(() => undefined);
    await upstream.until(account.secret, ({ clientAborts }) => clientAborts === 1);
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "client_gone", estimated: true });
    await idle(account, key);
  });

  it("is closed to a key that may use Claude only", async () => {
    const { key } = await createOpenAiPair({}, { permissions: ["claude"] });
    const response = await send(key);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { type: "permission_denied" } });
  });
});

describe("a key that may use OpenAI only", () => {
  it("is refused by Anthropic's routes in their own shape", async () => {
    const { key } = await createPair({}, { permissions: ["openai"] });
    for (const response of [await call(key), await stream(key)]) {
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ type: "error", error: { type: "permission_error" } });
    }
  });
});

describe("reasoning of another organization", () => {
  it("is taken out when the account cannot read it, and the call tried once more", async () => {
    const { account, key } = await createOpenAiPair();
    await upstream.recordBodies(account.secret);
    await upstream.set(account.secret, [openAiError(400, { code: "invalid_encrypted_content" }), answer()]);
    const input = [
      { role: "user", content: "Hello" },
      { type: "reasoning", encrypted_content: "gAAA", summary: [] },
    ];
    expect((await respond(key, { body: { input } })).status).toBe(200);
    const bodies = (await upstream.log(account.secret)).map(({ body }) => body);
    expect(bodies).toMatchObject([{ input }, { input: input.slice(0, 1) }]);
  });
});

describe("a ChatGPT plan", () => {
  async function createPlan(expiresInMs: number) {
    const family = unique("family");
    const [accessToken, refreshToken] = [unique("at"), unique("rt")];
    await upstream.seedOAuth({
      family,
      accessToken,
      refreshToken,
      expiresInS: Math.round(expiresInMs / 1000),
      refreshedExpiresInS: 8 * 3600,
      strict: true,
    });
    const { account, key } = await createPair({
      provider: "openai-oauth",
      credential: { accessToken, refreshToken, expiresAt: Date.now() + expiresInMs },
      baseUrl: `${upstream.url}/backend-api/codex`,
      tokenUrl: `${upstream.url}/oauth/token`,
    });
    return { family, account, key };
  }

  it("whose token expired is refreshed before the call, and named by the new token's claims", async () => {
    const { family, key } = await createPlan(-1000);
    await upstream.recordBodies(family);
    const response = await respond(key, { body: { stream: true, temperature: 1, store: true } });
    expect(await response.text()).toContain("response.completed");
    expect((await upstream.stats()).families[family]).toMatchObject({ calls: 1, refreshesGranted: 1 });
    const [entry] = await upstream.log(family);
    expect(entry).toMatchObject({ path: "/backend-api/codex/responses", body: { store: false, model: GPT } });
    expect(entry?.body).not.toHaveProperty("temperature");
    expect(entry?.headers["chatgpt-account-id"]).toBe(`account-of-${family}`);
  });

  it("whose token is refused is refreshed once and asked again", async () => {
    const { family, key } = await createPlan(-10_000);
    expect((await respond(key)).status).toBe(200);
    expect((await upstream.stats()).families[family]).toMatchObject({ refreshesGranted: 1 });
  });

  it("shows its windows, and rests until the reset that the backend names", async () => {
    const { family, account, key } = await createPlan(8 * 3_600_000);
    await respond(key);
    const { status } = await eventually(
      () => accountView(account),
      (view) => (view.status?.windows.length ?? 0) > 0,
    );
    expect(status?.windows).toMatchObject([
      { id: "5h", utilization: 0.25 },
      { id: "7d", utilization: 0.5 },
    ]);
    await upstream.set(
      family,
      openAiError(429, { code: "usage_limit_reached", type: "usage_limit_reached", resets_in_seconds: 3600 }),
    );
    const limited = await respond(key);
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(3000);
  });

  it("answers whole to who asks for no stream, although its backend only streams", async () => {
    const { family, key } = await createPlan(8 * 3_600_000);
    await upstream.recordBodies(family);
    const response = await respond(key);
    expect(response.headers.get("content-type")).toBe("application/json");
    const body = await response.json<{ usage: { output_tokens: number } }>();
    expect(body).toMatchObject({ object: "response", status: "completed" });
    expect((await upstream.log(family))[0]?.body).toMatchObject({ stream: true });
    expect((await usageOf(key))[0]).toMatchObject({
      tokens: { output: body.usage.output_tokens },
      stream: false,
      estimated: false,
    });
  });

  it("that breaks off while a whole answer is awaited is a failure of the upstream", async () => {
    const { family, account, key } = await createPlan(8 * 3_600_000);
    await upstream.set(family, { kind: "cut", afterEvents: 4, mode: "cleanEnd" });
    expect((await respond(key)).status).toBe(502);
    await idle(account, key);
  });

  it("is signed in with the address that the browser ends on", async () => {
    const started = await (
      await admin("POST", "/accounts/oauth/start", { provider: "openai-oauth" })
    ).json<{ sessionId: string; url: string }>();
    const url = new URL(started.url);
    expect(url.origin + url.pathname).toBe("https://auth.openai.com/oauth/authorize");
    const state = url.searchParams.get("state") ?? "";
    const code = `ac_${unique("code")}.with-a-dot`;
    const family = unique("family");
    const codeChallenge = url.searchParams.get("code_challenge") ?? "";
    await upstream.seedOAuth({ family, code: { code, codeChallenge, state } });
    const response = await admin("POST", "/accounts/oauth/exchange", {
      sessionId: started.sessionId,
      code: `${url.searchParams.get("redirect_uri") ?? ""}?code=${code}&state=${state}`,
      account: { name: unique("plan"), tokenUrl: `${upstream.url}/oauth/token`, baseUrl: upstream.url },
    });
    expect(response.status).toBe(201);
    const account = await response.json<AccountView>();
    expect(account.status?.credential).toMatchObject({ accountId: expect.any(String) as string });
    expect(await (await admin("POST", `/accounts/${account.id}/test`)).json()).toMatchObject({ ok: true });
  });

  it("does not serve chats", async () => {
    const { key } = await createPlan(8 * 3_600_000);
    expect((await DIALECTS[1].call(key)).status).toBe(503);
  });
});
