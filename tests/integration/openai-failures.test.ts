/** What goes wrong at OpenAI's upstreams, and what a client and the account see of it (docs/failures.md). */
import { describe, expect, it } from "vitest";
import { answer, gatewayPage, openAiError, type Behaviour } from "../upstream/behaviour.ts";
import { createOpenAiPair, createOpenAiPool, DIALECTS, respond } from "./setup/openai.ts";
import { accountView, eventually, idle, upstream, usageOf } from "./setup/relay.ts";

const HIDDEN: Behaviour = {
  kind: "errorEvent",
  afterEvents: 0,
  errorType: "server_error",
  message: "The server had an error",
};

describe.each(DIALECTS)("$name", ({ call: send, end }) => {
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

  it("refuses what is no call, and a key that is none", async () => {
    const { key } = await createOpenAiPair();
    const missing = await send(key, { body: { model: undefined } });
    expect(missing.status).toBe(400);
    expect(await missing.json()).toMatchObject({ error: { type: "invalid_request_error", param: null } });
    const unknown = await send({ key: `cr_${"e".repeat(64)}` });
    expect(unknown.status).toBe(401);
    expect(await unknown.json()).toMatchObject({ error: { code: "invalid_api_key" } });
  });

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
