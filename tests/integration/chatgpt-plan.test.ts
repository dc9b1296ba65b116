/** A ChatGPT plan as an account: its tokens, its windows, and what its backend takes. */
import { describe, expect, it } from "vitest";
import type { AccountView } from "../../worker/domain/account.ts";
import { openAiError } from "../upstream/behaviour.ts";
import { chat, GPT, respond } from "./setup/openai.ts";
import {
  accountView,
  admin,
  createPair,
  eventually,
  idle,
  unique,
  upstream,
  usageOf,
} from "./setup/relay.ts";

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

  it("serves chats, too: they reach it translated, streamed or whole", async () => {
    const { key } = await createPlan(8 * 3_600_000);
    for (const stream of [false, true]) {
      const response = await chat(key, { body: { stream } });
      expect(response.status).toBe(200);
      expect(await response.text()).toContain("chat.completion");
    }
  });
});
