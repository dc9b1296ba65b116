import { describe, expect, it } from "vitest";
import type { UpstreamCall } from "../provider.ts";
import { accountIdIn } from "./claims.ts";
import { openaiOAuth } from "./index.ts";
import { windowsOf } from "./windows.ts";

const NOW = 1_900_000_000_000;

const jwt = (claims: unknown) =>
  `e30.${btoa(JSON.stringify(claims)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}.sig`;
const idToken = (account: unknown) => jwt({ "https://api.openai.com/auth": { chatgpt_account_id: account } });

const credential = { accessToken: "access", refreshToken: "refresh", expiresAt: NOW, accountId: "acc-1" };

async function sent(path: string, body: unknown, accessToken = "access", accountId = "acc-1") {
  const call: UpstreamCall = {
    protocol: "openai-responses",
    operation: "generate",
    model: "m",
    stream: true,
    path,
    query: "",
    headers: new Headers({ originator: "codex_exec" }),
    body: new TextEncoder().encode(JSON.stringify(body)),
    affinity: null,
  };
  const request = await openaiOAuth.createRequest(call, { ...credential, accessToken, accountId }, null, NOW);
  return { ...request, body: JSON.parse(new TextDecoder().decode(request.body)) as unknown };
}

describe("a ChatGPT plan", () => {
  it("gets the client's call with what its backend would refuse taken out", async () => {
    const { url, headers, body } = await sent("/v1/responses", {
      model: "m",
      temperature: 1,
      top_p: 1,
      max_output_tokens: 9,
      user: "u",
      store: true,
      text: { verbosity: "low" },
      service_tier: "priority",
    });
    expect(url).toBe("https://chatgpt.com/backend-api/codex/responses");
    expect(body).toEqual({
      model: "m",
      text: { verbosity: "low" },
      service_tier: "priority",
      store: false,
      stream: true,
    });
    expect(headers.get("authorization")).toBe("Bearer access");
    expect(headers.get("chatgpt-account-id")).toBe("acc-1");
    expect(headers.get("originator")).toBe("codex_exec");
  });

  it("gets a compaction without `store`", async () => {
    const { url, body } = await sent("/v1/responses/compact", { model: "m", store: false });
    expect(url).toBe("https://chatgpt.com/backend-api/codex/responses/compact");
    expect(body).toEqual({ model: "m" });
  });

  it("is named by the access token where nobody entered its id", async () => {
    const { headers } = await sent("/responses", {}, idToken("acc-2"), "");
    expect(headers.get("chatgpt-account-id")).toBe("acc-2");
    expect((await sent("/responses", {}, "opaque", "")).headers.has("chatgpt-account-id")).toBe(false);
  });
});

describe("accountIdIn", () => {
  it("reads the claim, and nothing that could not stand in a header", () => {
    expect(accountIdIn(idToken("acc-2"))).toBe("acc-2");
    for (const odd of [
      "",
      "a.b.c",
      "..",
      "x",
      idToken("a\r\nb"),
      idToken(7),
      idToken(""),
      jwt([]),
      jwt(null),
    ])
      expect(accountIdIn(odd)).toBeNull();
  });
});

describe("token calls", () => {
  const context = (status: number, answer: unknown) => {
    const calls: {
      readonly url: string;
      readonly body: URLSearchParams;
      readonly type: string | undefined;
    }[] = [];
    return {
      calls,
      now: NOW,
      tokenUrl: null,
      call: (url: string, request: { headers: Readonly<Record<string, string>>; body: string }) => {
        calls.push({ url, body: new URLSearchParams(request.body), type: request.headers["content-type"] });
        return Promise.resolve({
          status,
          text: typeof answer === "string" ? answer : JSON.stringify(answer),
        });
      },
    };
  };

  it("exchange a code for tokens, as a form, and learn the account", async () => {
    const answer = { access_token: "a2", refresh_token: "r2", id_token: idToken("acc-9"), expires_in: 60 };
    const made = context(200, answer);
    const result = await openaiOAuth.oauth?.exchange({ code: "ac_1.x", state: "s", verifier: "v" }, made);
    expect(result).toEqual({
      kind: "refreshed",
      credential: { accessToken: "a2", refreshToken: "r2", expiresAt: NOW + 60_000, accountId: "acc-9" },
    });
    expect(made.calls[0]).toMatchObject({
      url: "https://auth.openai.com/oauth/token",
      type: "application/x-www-form-urlencoded",
    });
    expect(Object.fromEntries(made.calls[0]?.body ?? [])).toEqual({
      grant_type: "authorization_code",
      code: "ac_1.x",
      redirect_uri: "http://localhost:1455/auth/callback",
      code_verifier: "v",
      client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
    });
  });

  it("keep the refresh token and the account that an answer leaves out, and assume an hour", async () => {
    const result = await openaiOAuth.refresh?.(credential, context(200, { access_token: "a2" }));
    expect(result).toEqual({
      kind: "refreshed",
      credential: { ...credential, accessToken: "a2", expiresAt: NOW + 3_600_000 },
    });
  });

  it.each([
    [400, { error: "invalid_grant" }, "rejected"],
    [401, { error: { code: "refresh_token_reused", message: "m", type: "x" } }, "rejected"],
    [400, { error: { type: "server_error" } }, "failed"],
    [500, "<html>", "failed"],
    [200, "<html>", "failed"],
    [200, { access_token: "a b" }, "failed"],
  ])("answered %s with %j are %s", async (status, answer, kind) => {
    expect((await openaiOAuth.refresh?.(credential, context(status, answer)))?.kind).toBe(kind);
  });

  it("need a refresh token", async () => {
    const result = await openaiOAuth.refresh?.({ ...credential, refreshToken: "" }, context(200, {}));
    expect(result?.kind).toBe("rejected");
  });
});

describe("windowsOf", () => {
  it("reads both windows, with resets that stay the same from answer to answer", () => {
    const headers = (seconds: number) =>
      new Headers({
        "x-codex-primary-used-percent": "42.4",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-after-seconds": String(seconds),
        "x-codex-secondary-used-percent": "100",
        "x-codex-secondary-window-minutes": "10080",
      });
    const windows = windowsOf(headers(600), NOW);
    expect(windows).toEqual([
      { id: "5h", status: "allowed", utilization: 0.42, resetAt: expect.any(Number) as number },
      { id: "7d", status: "rejected", utilization: 1, resetAt: null },
    ]);
    expect(windowsOf(headers(597), NOW + 3000)).toEqual(windows);
  });

  it("knows a weekly window by its length, and says nothing where the answer does", () => {
    const weekly = { "x-codex-primary-used-percent": "1", "x-codex-primary-window-minutes": "10080" };
    expect(windowsOf(new Headers(weekly), NOW)).toMatchObject([{ id: "7d" }]);
    expect(windowsOf(new Headers(), NOW)).toBeNull();
    expect(windowsOf(new Headers({ "x-codex-primary-used-percent": "many" }), NOW)).toBeNull();
  });
});
