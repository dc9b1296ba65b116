/** The paths that claude-relay-service documents: scripts written for it find what they look for. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { apiDocument } from "../../worker/api-document/document.ts";
import { PLATFORMS } from "../../worker/admin/aliases/account-fields.ts";
import { documentedRoutes } from "../../worker/admin/routes.ts";
import { admin, call, createAccount, createPair, env, fetchRelay, unique, usageOf } from "./setup/relay.ts";
import { createPerson, PASSWORD, signedIn } from "./setup/people.ts";

/** Every alias, as the document names it; those that a test has called are taken out. */
const uncalled = new Set(
  Object.entries(apiDocument(documentedRoutes()).paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { summary }]) => summary.includes("scripts for claude-relay-service"))
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  ),
);

const replySchema = z.looseObject({ success: z.literal(true), data: z.unknown() });

/** Calls an alias by its name in the document. */
async function reply(name: string, id = "", body?: unknown, query = ""): Promise<Record<string, unknown>> {
  const [method = "", path = ""] = name.split(" ");
  const response = await admin(method, path.replace("/admin", "").replace(/\{\w+\}/, id) + query, body);
  if (response.status !== 200) throw new Error(`${name}: ${await response.text()}`);
  uncalled.delete(name);
  return replySchema.parse(await response.json());
}

const data = async (...asked: Parameters<typeof reply>) =>
  z.record(z.string(), z.unknown()).parse((await reply(...asked))["data"]);
const rows = async (...asked: Parameters<typeof reply>) =>
  z.array(z.record(z.string(), z.unknown())).parse((await reply(...asked))["data"]);

const TOKENS = { accessToken: "access-of-a-test", refreshToken: "", expiresAt: Date.now() + 3_600_000 };
const CREDENTIALS: Readonly<Record<string, object>> = {
  "claude-accounts": { claudeAiOauth: { ...TOKENS, scopes: ["user:inference"] } },
  "claude-console-accounts": { apiUrl: env.TEST_UPSTREAM_URL, apiKey: "sk-test", maxConcurrentTasks: 4 },
  "ccr-accounts": { apiUrl: env.TEST_UPSTREAM_URL, apiKey: "sk-test" },
  "bedrock-accounts": {
    region: "us-east-1",
    credentialType: "access_key",
    awsCredentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret-of-a-test" },
  },
  "openai-accounts": { openaiOauth: TOKENS, accountInfo: { accountId: "acct-1" } },
  "openai-responses-accounts": { baseApi: env.TEST_UPSTREAM_URL, apiKey: "sk-test" },
  "azure-openai-accounts": {
    azureEndpoint: env.TEST_UPSTREAM_URL,
    deploymentName: "gpt",
    apiVersion: "2025-04-01-preview",
    apiKey: "sk-test",
  },
  "gemini-accounts": {
    geminiOauth: { access_token: "ya29.test", refresh_token: "", expiry_date: TOKENS.expiresAt },
  },
  "gemini-api-accounts": { baseUrl: env.TEST_UPSTREAM_URL, apiKey: "AIza-test" },
  "droid-accounts": { apiKeys: "fk-one\nfk-two" },
};

describe("accounts by their old paths", { timeout: 60_000 }, () => {
  it.each(PLATFORMS)(
    "$path: made, listed, shown, changed, operated and deleted",
    async ({ path, platform, provider }) => {
      const at = `/admin/${path}`;
      const name = unique("account");
      const made = await data(`POST ${at}`, "", {
        name,
        accountType: "shared",
        priority: "7",
        ...CREDENTIALS[path],
      });
      const id = String(made["id"]);
      expect(made).toMatchObject({
        name,
        provider,
        platform,
        priority: 7,
        isActive: true,
        accountType: "shared",
      });
      expect((await rows(`GET ${at}`)).map((row) => row["id"])).toContain(id);
      expect(await data(`GET ${at}/{id}`, id)).toMatchObject({ id });
      const changed = await data(`PUT ${at}/{id}`, id, { groupId: "team", accountType: "group" });
      expect(changed).toMatchObject({ groupIds: ["team"], accountType: "group", name });
      expect(await data(`PUT ${at}/{id}/toggle`, id)).toMatchObject({ isActive: false });
      expect(await data(`PUT ${at}/{id}/toggle`, id)).toMatchObject({ isActive: true });
      for (const schedulable of [false, true]) {
        expect(await data(`PUT ${at}/{id}/toggle-schedulable`, id)).toMatchObject({ schedulable });
      }
      for (const schedulable of [false, true]) {
        expect(await data(`PUT ${at}/{id}/toggle-schedulable`, id)).toMatchObject({ schedulable });
      }
      for (const reset of ["reset-status", "reset-rate-limit"]) {
        expect(await data(`POST ${at}/{id}/${reset}`, id)).toMatchObject({ id });
      }
      expect(await data(`POST ${at}/{id}/test`, id)).toHaveProperty("latencyMs");
      // What has no token to refresh says so; several API keys are asked about one by one.
      const refreshed = await admin("POST", `/${path}/${id}/refresh`);
      const expected = path === "droid-accounts" ? { success: true } : { error: { code: "invalid_request" } };
      expect(await refreshed.json()).toMatchObject(expected);
      uncalled.delete(`POST ${at}/{id}/refresh`);
      expect(await reply(`DELETE ${at}/{id}`, id)).toMatchObject({ success: true });
      expect((await admin("GET", `/accounts/${id}`)).status).toBe(404);
    },
  );

  it("begin a sign-in, and end it only with its own code", async () => {
    for (const path of ["claude-accounts", "openai-accounts", "gemini-accounts"]) {
      const started = await data(`POST /admin/${path}/generate-auth-url`, "", {});
      expect(started["authUrl"]).toMatch(/^https:\/\//);
      const exchange = {
        sessionId: started["sessionId"],
        authorizationCode: "a-code-of-nobody#a-foreign-state",
      };
      const response = await admin("POST", `/${path}/exchange-code`, exchange);
      expect(response.status).toBe(400);
      uncalled.delete(`POST /admin/${path}/exchange-code`);
    }
  });
});

describe("keys by their old paths", { timeout: 30_000 }, () => {
  it("are made with the options that they had there", async () => {
    const made = await data("POST /admin/api-keys", "", {
      name: "ada",
      description: "of the maths team",
      permissions: "claude,gemini",
      claudeAccountId: "group:team",
      concurrencyLimit: 3,
      rateLimitWindow: "60",
      rateLimitRequests: 100,
      dailyCostLimit: "2.5",
      totalCostLimit: 40,
      weeklyOpusCostLimit: 10,
      weeklyResetDay: 3,
      weeklyResetHour: 7,
      enableModelRestriction: true,
      restrictedModels: ["claude-opus-4"],
      enableClientRestriction: true,
      allowedClients: ["claude_code"],
      expirationMode: "activation",
      activationDays: 12,
      activationUnit: "hours",
      serviceRates: { codex: 1.5 },
      tags: ["one"],
    });
    expect(made["apiKey"]).toMatch(/^cr_[0-9a-f]{64}$/);
    const key = await (await admin("GET", `/keys/${String(made["id"])}`)).json();
    expect(key).toMatchObject({
      name: "ada",
      description: "of the maths team",
      permissions: ["claude", "gemini"],
      binding: { kind: "group", group: "team" },
      concurrency: 3,
      windowMinutes: 60,
      windowRequests: 100,
      dailyCost: 2.5,
      totalCost: 40,
      weeklyPremiumCost: 10,
      weekStartDay: 3,
      weekStartHour: 7,
      blockedModels: ["claude-opus-4"],
      clients: ["claude-code"],
      activation: { amount: 12, unit: "hours" },
      rates: { openai: 1.5 },
      tags: ["one"],
    });
    expect(made).toMatchObject({
      dailyCostLimit: 2.5,
      allowedClients: ["claude_code"],
      accountId: "group:team",
    });
  });

  it("are listed, shown, changed and deleted, and work", async () => {
    const { id: accountId } = await createAccount({ groups: [unique("group")] });
    const body = { name: unique("key"), claudeConsoleAccountId: `console:${accountId}` };
    const made = await data("POST /admin/api-keys", "", body);
    const id = String(made["id"]);
    expect((await call({ key: String(made["apiKey"]) })).status).toBe(200);
    const listed = await data("GET /admin/api-keys", "", undefined, "?page=1&pageSize=200");
    expect(listed["pagination"]).toMatchObject({ page: 1, pageSize: 200 });
    expect(
      z
        .array(z.looseObject({ id: z.string() }))
        .parse(listed["items"])
        .map((key) => key.id),
    ).toContain(id);
    expect(await data("GET /admin/api-keys/{id}", id)).toMatchObject({
      id,
      expirationMode: "fixed",
      expiresAt: null,
    });
    const changed = await data("PUT /admin/api-keys/{id}", id, {
      expiresAt: "2035-01-01T00:00:00.000Z",
      isActive: false,
    });
    expect(changed).toMatchObject({
      expiresAt: "2035-01-01T00:00:00.000Z",
      isActive: false,
      name: body.name,
    });
    expect((await call({ key: String(made["apiKey"]) })).status).toBe(401);
    expect(await reply("DELETE /admin/api-keys/{id}", id)).toMatchObject({ success: true });
  });

  it("refuse what is wrong with the error of every other route", async () => {
    const response = await admin("POST", "/api-keys", { name: "x", dailyCostLimit: -1 });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "invalid_request" } });
    expect((await admin("GET", "/api-keys/key_00000009")).status).toBe(404);
    const viewer = await signedIn(await createPerson("viewer"));
    expect((await viewer("POST", "/api-keys", { name: "x" })).status).toBe(403);
    expect((await viewer("GET", "/api-keys")).status).toBe(200);
    expect((await fetchRelay("/admin/api-keys")).status).toBe(401);
  });
});

describe("figures by their old paths", { timeout: 30_000 }, () => {
  it("are those of the ledger, in dollars", async () => {
    const { key, account } = await createPair();
    await call(key);
    const [record] = await usageOf(key);
    const dollars = (record?.cost ?? 0) / 1e9;
    const own = (await rows("GET /admin/usage-stats", "", undefined, "?period=daily")).find(
      (row) => row["id"] === key.id,
    );
    expect(own).toMatchObject({ key: key.id, name: key.name, requests: 1, cost: dollars });
    const models = await rows("GET /admin/model-stats", "", undefined, "?period=daily");
    expect(models.map((row) => row["model"])).toContain(record?.model);
    const ofKey = await rows("GET /admin/api-keys/{id}/model-stats", key.id);
    expect(ofKey).toMatchObject([{ model: record?.model, requests: 1, cost: dollars }]);
    for (const [name, id] of [
      ["GET /admin/api-keys/{id}/usage-records", key.id],
      ["GET /admin/accounts/{id}/usage-records", account.id],
    ] as const) {
      expect(await data(name, id)).toMatchObject({
        records: [{ requestId: record?.requestId, cost: dollars }],
        pagination: { totalRecords: 1 },
      });
    }
    const dashboard = await data("GET /admin/dashboard");
    expect(dashboard).toMatchObject({ realtimeMetrics: { windowMinutes: 5 }, systemTimezone: "UTC" });
    for (const granularity of ["day", "hour"]) {
      expect(
        (await rows("GET /admin/usage-trend", "", undefined, `?granularity=${granularity}&days=1`)).length,
      ).toBeGreaterThan(0);
    }
    expect(await data("GET /admin/usage-costs", "", undefined, "?period=today")).toHaveProperty(
      "totalCosts.totalCost",
    );
  });
});

describe("many keys by their old paths", { timeout: 30_000 }, () => {
  const made = async (count: number, options: object = {}) =>
    (await reply("POST /admin/api-keys/batch", "", { baseName: unique("many"), count, ...options }))[
      "data"
    ] as {
      id: string;
      apiKey: string;
      name: string;
    }[];

  it("are made, changed and deleted together", async () => {
    const keys = await made(3, { dailyCostLimit: 2, tags: ["one"] });
    expect(keys.map(({ name }) => name.slice(-2))).toEqual(["_1", "_2", "_3"]);
    for (const { apiKey } of keys) expect(apiKey).toMatch(/^cr_[0-9a-f]{64}$/);
    const keyIds = keys.map(({ id }) => id);
    const updates = { concurrencyLimit: 4, tags: ["two"], tagOperation: "add" };
    const changed = await data("PUT /admin/api-keys/batch", "", {
      keyIds: [...keyIds, "key_00000009"],
      updates,
    });
    expect(changed).toMatchObject({ successCount: 3, failedCount: 1 });
    const [first = ""] = keyIds;
    expect(await data("GET /admin/api-keys/{id}", first)).toMatchObject({
      concurrencyLimit: 4,
      dailyCostLimit: 2,
      tags: ["one", "two"],
    });
    expect(await data("DELETE /admin/api-keys/batch", "", { keyIds })).toMatchObject({ successCount: 3 });
  });

  it("are in the bin, from where they come back or go for ever", async () => {
    const [one, other] = await made(2);
    const [first = "", second = ""] = [one?.id, other?.id];
    for (const id of [first, second]) await reply("DELETE /admin/api-keys/{id}", id);
    const bin = await rows("GET /admin/api-keys/deleted", "", undefined, "?pageSize=200");
    expect(bin.find((key) => key["id"] === first)).toMatchObject({ canRestore: true, isDeleted: true });
    expect(await data("POST /admin/api-keys/{id}/restore", first)).toMatchObject({ isDeleted: false });
    expect((await call({ key: one?.apiKey ?? "" })).status).not.toBe(401);
    await reply("DELETE /admin/api-keys/{id}/permanent", second);
    expect((await admin("GET", `/keys/${second}`)).status).toBe(404);
    expect(await data("DELETE /admin/api-keys/deleted/clear-all")).toHaveProperty("successCount");
  });

  it("end later, and have tags", async () => {
    const tag = unique("tag");
    const [key] = await made(1, { tags: [tag], expiresAt: "2035-01-01T00:00:00.000Z" });
    const id = key?.id ?? "";
    const later = await data("POST /admin/api-keys/{id}/extend-expiry", id, { amount: 1, unit: "months" });
    expect(later).toMatchObject({ expiresAt: "2035-01-31T00:00:00.000Z" });
    expect(await data("PATCH /admin/api-keys/{id}/expiration", id, { expiresAt: null })).toMatchObject({
      expiresAt: null,
    });
    expect((await reply("GET /admin/api-keys/tags"))["data"]).toContain(tag);
    const details = await rows("GET /admin/api-keys/tags/details");
    expect(details.find(({ name }) => name === tag)).toMatchObject({ count: 1 });
  });
});

describe("channels by their old paths", { timeout: 30_000 }, () => {
  it.each(["platforms", "configs"])("%s: added, changed, tried and removed", async (name) => {
    const at = `/admin/webhook/${name}`;
    const platform = {
      type: "wechat_work",
      name: "team",
      url: "https://127.0.0.1:1/hook",
      enabled: true,
      timeout: 10,
    };
    const added = await data(`POST ${at}`, "", platform);
    const id = String(added["id"]);
    expect(added).toMatchObject({ type: "wechat_work", name: "team", enabled: true });
    expect((await admin("GET", `/notifications/${id}`)).status).toBe(200);
    expect(await data(`PUT ${at}/{id}`, id, { type: "wechat_work", name: "all" })).toMatchObject({
      name: "all",
    });
    expect(await data(`POST ${at}/{id}/toggle`, id)).toMatchObject({ enabled: false });
    expect(await data(`POST ${at}/{id}/test`, id)).toMatchObject({ ok: false });
    const listed = z.looseObject({ items: z.array(z.looseObject({ id: z.string() })) });
    for (const list of [`GET ${at}`, "GET /admin/webhook/config"]) {
      expect(listed.parse(await reply(list)).items.map((item) => item.id)).toContain(id);
    }
    await reply(`DELETE ${at}/{id}`, id);
    expect((await admin("GET", `/notifications/${id}`)).status).toBe(404);
  });

  it("send mail with the names that a mail server had there", async () => {
    const smtp = {
      type: "smtp",
      host: "mail.example.org",
      port: 465,
      secure: true,
      user: "me@example.org",
      pass: "x",
      to: "a@example.org, b@example.org",
    };
    const added = await data("POST /admin/webhook/configs", "", smtp);
    expect(added).toMatchObject({ type: "smtp", security: "tls", to: ["a@example.org", "b@example.org"] });
    expect(JSON.stringify(added)).not.toContain('"pass"');
    await reply("DELETE /admin/webhook/configs/{id}", String(added["id"]));
  });
});

describe("settings by their old paths", { timeout: 30_000 }, () => {
  it("are rates, and what the site is called", async () => {
    try {
      const rates = { claude: 1.5, codex: 2 };
      expect(await data("PUT /admin/service-rates", "", { rates })).toMatchObject({
        rates: { ...rates, gemini: 1 },
      });
      expect(await data("GET /admin/service-rates")).toMatchObject({ rates: { codex: 2 } });
      expect(await data("PUT /admin/oem-settings", "", { siteName: "Team relay" })).toMatchObject({
        siteName: "Team relay",
      });
      expect(await data("GET /admin/oem-settings")).toMatchObject({ siteName: "Team relay" });
    } finally {
      for (const name of ["rates", "branding"]) await admin("DELETE", `/settings/${name}`);
    }
  });
});

describe("signing in by the old paths", { timeout: 30_000 }, () => {
  const post = (path: string, body: object, token = "") =>
    fetchRelay(path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${token}`,
        "cf-connecting-ip": unique("address"),
      },
      body: JSON.stringify(body),
    });

  it("begins and ends a session, and changes a password", async () => {
    const { username } = await createPerson("admin");
    const login = (password: string) => post("/web/auth/login", { username, password });
    expect((await login("wrong password")).status).toBe(401);
    const { token, ...answer } = await (
      await login(PASSWORD)
    ).json<Record<string, unknown> & { token: string }>();
    expect(answer).toMatchObject({ success: true, username });
    expect(answer["expiresIn"]).toBeGreaterThan(60_000);
    const user = await fetchRelay("/web/auth/user", { headers: { authorization: `Bearer ${token}` } });
    expect(await user.json()).toMatchObject({ success: true, user: { username } });
    expect((await fetchRelay("/web/auth/user")).status).toBe(401);
    const change = { currentPassword: PASSWORD, newPassword: "another password" };
    expect((await post("/web/auth/change-password", change, token)).status).toBe(200);
    expect((await login(PASSWORD)).status).toBe(401);
    expect((await login("another password")).status).toBe(200);
    expect((await post("/web/auth/logout", {}, token)).status).toBe(200);
    expect(
      (await fetchRelay("/web/auth/user", { headers: { authorization: `Bearer ${token}` } })).status,
    ).toBe(401);
    for (const called of [
      "POST /web/auth/login",
      "POST /web/auth/logout",
      "GET /web/auth/user",
      "POST /web/auth/change-password",
    ]) {
      uncalled.delete(called);
    }
  });
});

it("every alias was called here", () => {
  expect([...uncalled]).toEqual([]);
});
