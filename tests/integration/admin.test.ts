/** The admin API: who gets in, what it refuses, and what it never shows. */
import { describe, expect, it } from "vitest";
import type { AccountView } from "../../worker/domain/account.ts";
import { admin, createAccount, createKey, createPair, fetchRelay, unique } from "./setup/relay.ts";

const json = { "content-type": "application/json" };
const login = (username: string, password: string) =>
  fetchRelay("/admin/login", { method: "POST", headers: json, body: JSON.stringify({ username, password }) });

describe("signing in", () => {
  it("gives a token and an HttpOnly cookie", async () => {
    const response = await login("admin", "password-of-the-integration-tests");
    expect(response.status).toBe(200);
    const { token } = await response.json<{ token: string }>();
    const cookie = response.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/HttpOnly/i);
    expect(cookie).toMatch(/SameSite=Strict/i);
    expect(cookie).toMatch(/Secure/i);
    const me = await fetchRelay("/admin/me", { headers: { authorization: `Bearer ${token}` } });
    expect(await me.json()).toMatchObject({ username: "admin", role: "owner" });
    const byCookie = await fetchRelay("/admin/me", { headers: { cookie: cookie.split(";")[0] ?? "" } });
    expect(byCookie.status).toBe(200);
  });

  it("says the same of a wrong name and a wrong password", async () => {
    const answers = [
      await login("admin", "wrong"),
      await login("nobody", "password-of-the-integration-tests"),
    ];
    for (const answer of answers) expect(answer.status).toBe(401);
    expect(await answers[0]?.text()).toMatch(/Wrong user name or password/);
  });

  it.each([
    "",
    "abc",
    "Bearer",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsImlzcyI6ImVkZ2UtcmVsYXktYWRtaW4iLCJleHAiOjk5OTk5OTk5OTksImlhdCI6MX0.",
  ])("refuses the token %j", async (token) => {
    expect((await fetchRelay("/admin/keys", { headers: { authorization: `Bearer ${token}` } })).status).toBe(
      401,
    );
  });

  it("refuses a change that another site makes with the cookie", async () => {
    const cookie =
      ((await login("admin", "password-of-the-integration-tests")).headers.get("set-cookie") ?? "").split(
        ";",
      )[0] ?? "";
    const change = (headers: Record<string, string>) =>
      fetchRelay("/admin/keys", {
        method: "POST",
        headers: { ...json, cookie, ...headers },
        body: JSON.stringify({ name: unique("k") }),
      });
    expect((await change({ "sec-fetch-site": "cross-site", origin: "https://evil.test" })).status).toBe(401);
    expect((await change({})).status).toBe(401);
    expect((await change({ "sec-fetch-site": "same-origin" })).status).toBe(201);
  });

  it.each([
    "/overview",
    "/providers",
    "/accounts",
    "/keys",
    "/usage",
    "/me",
    "/accounts/acc_00000000",
    "/accounts/oauth/start",
    "/accounts/oauth/poll",
  ])("is needed for %s", async (path) => {
    expect((await fetchRelay(`/admin${path}`)).status).toBe(401);
  });
});

describe("accounts", () => {
  it("are listed, read, changed and deleted, and never show their credential", async () => {
    const account = await createAccount({ priority: 10, maxConcurrency: 3, weight: 7 });
    expect(account).toMatchObject({
      priority: 10,
      maxConcurrency: 3,
      weight: 7,
      enabled: true,
      status: { availability: { kind: "available" } },
    });
    const changed = await (
      await admin("PATCH", `/accounts/${account.id}`, { priority: 20, baseUrl: null })
    ).json<AccountView>();
    expect(changed).toMatchObject({ priority: 20, baseUrl: null, weight: 7 });
    const list = await (await admin("GET", "/accounts?limit=200")).text();
    expect(list).toContain(account.id);
    expect(list).not.toContain(account.secret);
    expect((await admin("DELETE", `/accounts/${account.id}`)).status).toBe(204);
    expect((await admin("GET", `/accounts/${account.id}`)).status).toBe(404);
    expect((await admin("DELETE", `/accounts/${account.id}`)).status).toBe(404);
  });

  it.each([
    ["no name", { name: "" }],
    ["a name with a line break", { name: "a\r\nb" }],
    ["an unknown provider", { provider: "nobody" }],
    ["no credential", { credential: {} }],
    ["a credential with an unknown field", { credential: { apiKey: "x", other: 1 } }],
    ["a priority of 0", { priority: 0 }],
    ["a negative concurrency", { maxConcurrency: -1 }],
    ["a fractional weight", { weight: 1.5 }],
    ["a weight in text", { weight: "7" }],
    ["an address that is no URL", { baseUrl: "nowhere" }],
    ["a file address", { baseUrl: "file:///etc/passwd" }],
    ["an address with credentials", { baseUrl: "https://user:password@host.test" }],
    ["an address with a query", { baseUrl: "https://host.test/?a=b" }],
  ])("with %s are refused, with a reason", async (_, wrong) => {
    const response = await admin("POST", "/accounts", {
      name: unique("account"),
      provider: "claude-console",
      credential: { apiKey: "sk-ant-test" },
      ...wrong,
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: "invalid_request", message: expect.any(String) as string },
    });
  });

  it("can be tested, and say what is wrong", async () => {
    const account = await createAccount();
    expect(await (await admin("POST", `/accounts/${account.id}/test`)).json()).toMatchObject({
      ok: true,
      status: 200,
    });
    const refused = await createAccount({ credential: { apiKey: unique("refused") } });
    expect(await (await admin("POST", `/accounts/${refused.id}/test`)).json()).toMatchObject({
      ok: false,
      status: 401,
    });
  });

  it("offer their forms", async () => {
    const { items } = await (
      await admin("GET", "/providers")
    ).json<{ items: { id: string; oauth: boolean; credential: object }[] }>();
    const formOf = (provider: string) => items.find(({ id }) => id === provider);
    expect(formOf("claude-oauth")).toMatchObject({ oauth: true });
    expect(formOf("claude-console")).toMatchObject({
      oauth: false,
      credential: { type: "object", required: ["apiKey"] },
    });
  });
});

describe("keys", () => {
  it("show their text once", async () => {
    const key = await createKey({ concurrency: 4 });
    expect(key.key).toMatch(/^cr_[0-9a-f]{64}$/);
    expect(key.key.endsWith(key.hint)).toBe(true);
    expect(await (await admin("GET", `/keys/${key.id}`)).text()).not.toContain(key.key);
    expect(await (await admin("GET", "/keys?limit=200")).text()).not.toContain(key.key);
  });

  it.each([
    { name: "" },
    { concurrency: -1 },
    { concurrency: 1.5 },
    { expiresAt: "tomorrow" },
    { binding: { kind: "group" } },
    { activation: { amount: 0, unit: "days" } },
  ])("are refused with %j", async (wrong) => {
    expect((await admin("POST", "/keys", { name: unique("key"), ...wrong })).status).toBe(400);
  });

  it("survive hostile field names", async () => {
    const response = await fetchRelay("/admin/login", {
      method: "POST",
      headers: json,
      body: '{"__proto__":{"admin":true},"constructor":1}',
    });
    expect(response.status).toBe(400);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it("are paged", async () => {
    await createPair();
    const page = await (
      await admin("GET", "/keys?limit=1&page=1")
    ).json<{ items: unknown[]; total: number }>();
    expect(page.items).toHaveLength(1);
    expect(page.total).toBeGreaterThanOrEqual(1);
    expect((await admin("GET", "/keys?limit=0")).status).toBe(400);
    expect((await admin("GET", "/keys?page=abc")).status).toBe(400);
  });
});

describe("broken input", () => {
  it("is a 400, and an unknown path a 404", async () => {
    const token = (
      await (await login("admin", "password-of-the-integration-tests")).json<{ token: string }>()
    ).token;
    const headers = { ...json, authorization: `Bearer ${token}` };
    expect((await fetchRelay("/admin/keys", { method: "POST", headers, body: "{" })).status).toBe(400);
    expect((await fetchRelay("/admin/nothing", { headers })).status).toBe(404);
    expect((await admin("GET", "/usage?from=yesterday")).status).toBe(400);
    expect((await admin("GET", "/usage?from=2020-01-01&to=2040-01-01T00:00:00Z")).status).toBe(200);
  });
});
