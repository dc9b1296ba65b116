/** The fake as Factory, and as WorkOS, which signs people in there. */
import { afterAll, describe, expect, it } from "vitest";
import { startUpstream } from "./server.ts";

const upstream = await startUpstream();
afterAll(() => upstream.close());

const HEADERS = { authorization: "Bearer fk-1", "x-session-id": "s", "x-api-provider": "anthropic" };
const CALL = { model: "claude-x", messages: [{ role: "user", content: "Hi" }] };

const post = (path: string, headers: Record<string, string>, body: unknown) =>
  fetch(`${upstream.url}/api/llm/${path}`, { method: "POST", headers, body: JSON.stringify(body) });

describe("Factory", () => {
  it("answers in the dialect of the place", async () => {
    const messages = await post("a/v1/messages", HEADERS, CALL);
    expect(await messages.json()).toMatchObject({ type: "message" });
    const chat = await post("o/v1/chat/completions", HEADERS, CALL);
    expect(await chat.json()).toMatchObject({ object: "chat.completion" });
  });

  it.each([
    ["another way to sign in", { ...HEADERS, "x-api-key": "fk-1" }, CALL, 400],
    ["a refused key", { ...HEADERS, authorization: "Bearer refused-1" }, CALL, 401],
    ["no session", { authorization: "Bearer fk-1", "x-api-provider": "anthropic" }, CALL, 400],
    ["the wrong backend", { ...HEADERS, "x-api-provider": "baseten" }, CALL, 400],
    ["metadata", HEADERS, { ...CALL, metadata: {} }, 400],
  ])("refuses %s", async (_, headers, body, status) => {
    expect((await post("a/v1/messages", headers, body)).status).toBe(status);
  });

  it("counts no tokens", async () => {
    expect((await post("a/v1/messages/count_tokens", HEADERS, CALL)).status).toBe(404);
  });
});

describe("WorkOS", () => {
  const ask = async (path: string, form: Record<string, string>) => {
    const url = `${upstream.url}/user_management/${path}`;
    const response = await fetch(url, {
      method: "POST",
      body: new URLSearchParams({ client_id: "c", ...form }),
    });
    return response.json() as Promise<Record<string, string>>;
  };
  const poll = (device_code = "") =>
    ask("authenticate", { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code });

  it("waits for the person, once", async () => {
    const started = await ask("authorize/device", {});
    expect(await poll(started["device_code"])).toMatchObject({ error: "authorization_pending" });
    await fetch(started["verification_uri_complete"] ?? "");
    const tokens = await poll(started["device_code"]);
    expect(tokens["access_token"]).toBeDefined();
    expect(await poll(started["device_code"])).toMatchObject({ error: "expired_token" });
    const form = { grant_type: "refresh_token", refresh_token: tokens["refresh_token"] ?? "" };
    expect((await ask("authenticate", form))["refresh_token"]).not.toBe(tokens["refresh_token"]);
    expect(await ask("authenticate", form)).toMatchObject({ error: "invalid_grant" });
  });

  it("knows a person who says no", async () => {
    const started = await ask("authorize/device", {});
    await fetch(`${started["verification_uri_complete"] ?? ""}&deny=1`);
    expect(await poll(started["device_code"])).toMatchObject({ error: "access_denied" });
  });
});
