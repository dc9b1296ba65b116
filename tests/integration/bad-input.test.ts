/** Whatever is wrong with a request is said in the protocol's own words, with the right status. */
import { describe, expect, it } from "vitest";
import { call, createPair, fetchRelay, keyView, messagesBody, upstream } from "./setup/relay.ts";

const send = (key: string, body: BodyInit, init: RequestInit = {}) =>
  fetchRelay("/v1/messages", {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": key },
    body,
    ...init,
  });

describe("bad input", () => {
  it.each([
    ["an empty body", "", "JSON"],
    ["broken JSON", '{"model": "x", ', "JSON"],
    ["an array", "[]", "JSON object"],
    ["white space", "   ", "JSON"],
    ["no model", JSON.stringify({ messages: [] }), "model"],
    ["a model that is no text", JSON.stringify({ ...messagesBody(), model: 7 }), "model"],
    [
      "a model of ten thousand characters",
      JSON.stringify({ ...messagesBody(), model: "m".repeat(10_000) }),
      "model",
    ],
    ["a model with a line break", JSON.stringify({ ...messagesBody(), model: "a\r\nx: y" }), "model"],
    ["no messages", JSON.stringify({ model: "x" }), "messages"],
    ["messages that are no list", JSON.stringify({ model: "x", messages: "hello" }), "messages"],
    ["a stream flag that is text", JSON.stringify({ ...messagesBody(), stream: "yes" }), "stream"],
    ["a model given twice", '{"model":"a","messages":[],"model":"b"}', "twice"],
    ["brackets without end", `{"model":"a","messages":${"[".repeat(100_000)}`, "JSON"],
  ])("%s is a 400 that says what is wrong, and reaches nobody", async (_, body, word) => {
    const { account, key } = await createPair();
    const response = await send(key.key, body);
    expect(response.status).toBe(400);
    const error = await response.json<{ error: { message: string } }>();
    expect(error).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error" },
      request_id: expect.any(String) as string,
    });
    expect(error.error.message).toContain(word);
    expect((await upstream.statsOf(account.secret)).requests).toBe(0);
    expect((await keyView(key)).status?.totalRequests).toBe(0);
  });

  it("a body larger than the limit is a 413, declared or not", async () => {
    const { key } = await createPair();
    const large = JSON.stringify(messagesBody({ padding: "x".repeat(2_100_000) }));
    for (const body of [large, new Blob([large]).stream()]) {
      const response = await send(key.key, body);
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ type: "error", error: { type: "request_too_large" } });
    }
  });

  it.each(["GET", "PUT", "DELETE", "PATCH"])("%s on a path that takes POST is a 405", async (method) => {
    const { key } = await createPair();
    const response = await fetchRelay("/v1/messages", { method, headers: { "x-api-key": key.key } });
    expect(response.status).toBe(405);
    expect(await response.json()).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
  });

  it("an unknown path is a 404 that names it", async () => {
    const response = await fetchRelay("/v1/nothing", { method: "POST" });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: { code: "not_found", message: expect.stringContaining("/v1/nothing") as string },
    });
  });

  it("a model that no account has is a 404 in the upstream's place", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, {
      kind: "status",
      status: 404,
      body: { type: "error", error: { type: "not_found_error", message: "model: no-such-model" } },
    });
    const response = await call(key, { body: { model: "no-such-model" } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ type: "error", error: { type: "not_found_error" } });
  });

  it("a key that is refused is refused before its body is read", async () => {
    const response = await send(`cr_${"c".repeat(64)}`, "not json at all");
    expect(response.status).toBe(401);
  });
});

describe("D1: a body that is too large", () => {
  it.each(["/admin/login", "/users/login", "/users/register", "/web/auth/login", "/admin/passkeys/login"])(
    "is refused by %s before it is read to its end",
    async (path) => {
      const response = await fetchRelay(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ username: "x".repeat(2_000_000), password: "x" }),
      });
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ error: { code: "payload_too_large" } });
    },
  );
});
