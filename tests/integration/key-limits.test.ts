/** What a key may use, from where, and how much of it in a window: conformance items 3, 4 and 7.
 * On every route: contract/permissions.test.ts. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { answer } from "../upstream/behaviour.ts";
import { admin, call, createPair, MODEL, upstream } from "./setup/relay.ts";
import { costsEach, HOUR_MS, limitOf, nano, refusalOf, setNow, settledStatus } from "./setup/limits.ts";

const denied = (code: string) => ({ status: 403, type: "permission_error", code, retryAfter: null });

const CLAUDE_CODE = {
  "user-agent": "claude-cli/2.1.329 (external, cli)",
  "x-app": "cli",
  "anthropic-version": "2023-06-01",
};
const CODEX = {
  "user-agent": "codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm (codex_exec; 0.169.0)",
  originator: "codex_exec",
};
const GEMINI_CLI = { "user-agent": "GeminiCLI-tui/0.61.0/gemini-3.1-pro-preview (linux; x64; terminal)" };
const DROID = { "user-agent": "factory-cli/0.215.0" };
const PYTHON = { "user-agent": "python-requests/2.32" };

afterEach(() => {
  vi.useRealTimers();
});

describe("3: a key's permissions", () => {
  it("add up, and none means all", async () => {
    const { key: several } = await createPair({}, { permissions: ["gemini", "claude"] });
    const { key: all } = await createPair({}, { permissions: [] });
    expect([(await call(several)).status, (await call(all)).status]).toEqual([200, 200]);
  });
});

describe("4: a key's models", () => {
  it("that are blocked stay so although they are on the list, however they are written", async () => {
    const { key } = await createPair({}, { allowedModels: ["*"], blockedModels: ["Claude-SONNET-*"] });
    expect(await refusalOf(await call(key))).toEqual(denied("model_not_allowed"));
    expect(await refusalOf(await call(key, { body: { model: MODEL.toUpperCase() } }))).toEqual(
      denied("model_not_allowed"),
    );
  });
});

describe("a key's clients", () => {
  it.each([
    ["claude-code", CLAUDE_CODE],
    ["codex-cli", CODEX],
    ["gemini-cli", GEMINI_CLI],
    ["droid", DROID],
  ])("let in %s alone", async (client, headers) => {
    const { key } = await createPair({}, { clients: [client] });
    expect((await call(key, { headers })).status).toBe(200);
    expect(await refusalOf(await call(key, { headers: PYTHON }))).toEqual(denied("client_not_allowed"));
  });

  it("are not passed by the User-Agent alone", async () => {
    const { key } = await createPair({}, { clients: ["claude-code"] });
    const headers = { "user-agent": CLAUDE_CODE["user-agent"] };
    expect(await refusalOf(await call(key, { headers }))).toEqual(denied("client_not_allowed"));
    const path = "/v1/messages/count_tokens";
    expect(await refusalOf(await call(key, { path, headers }))).toEqual(denied("client_not_allowed"));
  });

  it("can be User-Agents of people's own", async () => {
    const { key } = await createPair({}, { clients: ["droid"], userAgents: ["Python-Requests/*"] });
    expect((await call(key, { headers: PYTHON })).status).toBe(200);
    expect((await call(key, { headers: DROID })).status).toBe(200);
    expect(await refusalOf(await call(key, { headers: CLAUDE_CODE }))).toEqual(denied("client_not_allowed"));
  });
});

describe("7: a key's window", () => {
  const refused = (code: string, retryAfter: number | null) => ({
    status: 429,
    type: "rate_limit_error",
    code,
    retryAfter,
  });

  it("counts requests from the first one on, and begins anew when its minutes are over", async () => {
    const { key } = await createPair({}, { windowMinutes: 60, windowRequests: 2 });
    const start = Date.now();
    setNow(start);
    expect((await call(key)).status).toBe(200);
    setNow(start + HOUR_MS / 2);
    expect((await call(key)).status).toBe(200);
    expect(await refusalOf(await call(key))).toEqual(refused("window_requests", 1800));
    setNow(start + HOUR_MS - 1);
    expect(await refusalOf(await call(key))).toEqual(refused("window_requests", 1));
    setNow(start + HOUR_MS);
    expect((await call(key)).status).toBe(200);
    expect(await limitOf(key, "window_requests")).toMatchObject({ used: 1, resetAt: start + 2 * HOUR_MS });
  });

  it("is opened once by two first requests at the same time", async () => {
    const { account, key } = await createPair({}, { windowMinutes: 60, windowRequests: 2 });
    await upstream.set(account.secret, answer({ headersDelayMs: 20 }));
    const start = Date.now();
    setNow(start);
    const first = await Promise.all([call(key), call(key)]);
    expect(first.map(({ status }) => status)).toEqual([200, 200]);
    expect(await limitOf(key, "window_requests")).toMatchObject({ used: 2, resetAt: start + HOUR_MS });
    expect(await refusalOf(await call(key))).toEqual(refused("window_requests", 3600));
  });

  it("lets in exactly as many of fifty simultaneous requests as it allows", async () => {
    const { account, key } = await createPair({}, { windowMinutes: 60, windowRequests: 7 });
    const responses = await Promise.all(Array.from({ length: 50 }, () => call(key)));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(7);
    expect(responses.filter(({ status }) => status === 429)).toHaveLength(43);
    expect((await upstream.statsOf(account.secret)).requests).toBe(7);
  });

  it("counts tokens", async () => {
    const { account, key } = await createPair({}, { windowMinutes: 60, windowTokens: 5000 });
    await upstream.set(account.secret, answer({ usage: { input_tokens: 4000, output_tokens: 1000 } }));
    setNow(Date.now());
    expect((await call(key)).status).toBe(200);
    expect(await limitOf(key, "window_tokens")).toMatchObject({ used: 5000, reserved: 0 });
    expect(await refusalOf(await call(key))).toEqual(refused("window_tokens", 3600));
    expect((await call(key, { path: "/v1/messages/count_tokens" })).status).toBe(200);
  });

  it("counts cost", async () => {
    const { account, key } = await createPair({}, { windowMinutes: 30, windowCost: 3 });
    await costsEach(account, 1.5);
    const start = Date.now();
    setNow(start);
    for (let number = 0; number < 2; number++) {
      expect((await call(key)).status).toBe(200);
      await settledStatus(key);
    }
    expect(await limitOf(key, "window_cost")).toMatchObject({ used: nano(3), limit: nano(3) });
    expect(await refusalOf(await call(key))).toEqual(refused("window_cost", 1800));
    setNow(start + HOUR_MS / 2);
    expect((await call(key)).status).toBe(200);
  });

  it("holds back what running requests may use", async () => {
    const { account, key } = await createPair({}, { windowMinutes: 60, windowTokens: 200 });
    await upstream.set(account.secret, { kind: "endless", intervalMs: 10 });
    const controller = new AbortController();
    const running = await call(key, { body: { stream: true }, signal: controller.signal });
    expect(await refusalOf(await call(key))).toEqual(refused("window_tokens_reserved", 5));
    await running.body?.cancel();
    controller.abort();
    await settledStatus(key);
    await upstream.set(account.secret, null);
  });

  it("sends a request away for good that alone is more than it allows", async () => {
    const { key } = await createPair({}, { windowMinutes: 60, windowTokens: 50 });
    expect(await refusalOf(await call(key))).toEqual(refused("window_tokens", null));
  });
});

describe("a key that is changed", () => {
  const PATCHES = [
    [{ permissions: ["gemini"] }, { permissions: [] }, "service_not_allowed"],
    [{ clients: ["droid"] }, { clients: [] }, "client_not_allowed"],
    [{ userAgents: ["nobody"] }, { userAgents: [] }, "client_not_allowed"],
    [{ allowedModels: ["gpt-*"] }, { allowedModels: [] }, "model_not_allowed"],
    [{ blockedModels: ["*"] }, { blockedModels: [] }, "model_not_allowed"],
    [{ windowMinutes: 60, windowTokens: 1 }, { windowTokens: 0 }, "window_tokens"],
    [{ windowMinutes: 60, windowCost: 1e-6 }, { windowMinutes: 0, windowCost: 0 }, "window_cost"],
    [{ dailyCost: 1e-6 }, { dailyCost: 0 }, "daily_cost"],
    [{ weeklyCost: 1e-6 }, { weeklyCost: 1000 }, "weekly_cost"],
    [{ weeklyPremiumCost: 1e-6, premiumModels: ["*sonnet*"] }, { premiumModels: [] }, "weekly_premium_cost"],
    [{ totalCost: 1e-6 }, { totalCost: 0 }, "total_cost"],
    [{ dailyCost: 0.05, rates: { claude: 100 } }, { rates: {} }, "daily_cost"],
  ] as const;

  it.each(PATCHES)(
    "is held to it by the very next request: %j, then %j",
    async (restriction, relief, code) => {
      const { key } = await createPair();
      expect((await call(key)).status).toBe(200);
      expect((await admin("PATCH", `/keys/${key.id}`, restriction)).status).toBe(200);
      expect((await refusalOf(await call(key))).code).toBe(code);
      expect((await admin("PATCH", `/keys/${key.id}`, relief)).status).toBe(200);
      expect((await call(key)).status).toBe(200);
    },
  );
});
