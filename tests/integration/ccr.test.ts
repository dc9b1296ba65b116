import { describe, expect, it } from "vitest";
import { admin, call, createPair, unique, upstream, usageOf } from "./setup/relay.ts";

describe("an account of a claude-code-router", () => {
  it("is asked as Anthropic is, for the model that it has for the one asked for", async () => {
    const secret = unique("router-key");
    const { key } = await createPair({
      provider: "ccr",
      credential: { apiKey: secret },
      modelMap: { "claude-*": "openrouter,some/model" },
    });
    await upstream.recordBodies(secret);
    expect((await call(key)).status).toBe(200);
    const [entry] = await upstream.log(secret);
    expect(entry).toMatchObject({ path: "/v1/messages", body: { model: "openrouter,some/model" } });
    expect(await usageOf(key)).toHaveLength(1);
  });

  it("must name its address: there is none to fall back on", async () => {
    const response = await admin("POST", "/accounts", {
      name: unique("account"),
      provider: "ccr",
      credential: { apiKey: unique("router-key") },
    });
    expect(response.status).toBe(400);
    const { error } = await response.json<{ error: { message: string } }>();
    expect(error.message).toContain("baseUrl");
  });
});
