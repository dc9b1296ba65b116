import { describe, expect, it } from "vitest";
import type { UpstreamCall } from "../provider.ts";
import { azureOpenAi } from "./index.ts";

const NOW = 1_900_000_000_000;

const credential = azureOpenAi.credentialSchema.parse({
  apiKey: "secret",
  endpoint: "https://house.openai.azure.com/",
  deployment: "prod-5",
});

const request = async (path: string, model = "azure/gpt-6-sol", baseUrl: string | null = null) => {
  const call: UpstreamCall = {
    protocol: "openai-responses",
    operation: "generate",
    model,
    stream: false,
    path,
    query: "api-version=other",
    headers: new Headers({ "api-key": "cr_relay" }),
    body: new TextEncoder().encode(JSON.stringify({ model, input: "x" })),
    affinity: null,
  };
  const made = await azureOpenAi.createRequest(call, credential, baseUrl, NOW);
  return { ...made, body: JSON.parse(new TextDecoder().decode(made.body)) as unknown };
};

describe("an Azure deployment", () => {
  it.each([
    ["/chat/completions", "/openai/deployments/prod-5/chat/completions"],
    ["/v1/chat/completions", "/openai/deployments/prod-5/chat/completions"],
    ["/embeddings", "/openai/deployments/prod-5/embeddings"],
    ["/responses", "/openai/responses"],
    ["/v1/responses/compact", "/openai/responses/compact"],
  ])("is asked for %s at %s, in its own version", async (path, place) => {
    const { url, headers } = await request(path);
    expect(url).toBe(`https://house.openai.azure.com${place}?api-version=2025-04-01-preview`);
    expect(headers.get("api-key")).toBe("secret");
    expect(headers.has("authorization")).toBe(false);
  });

  it("is the model of a Responses call, and of no other", async () => {
    expect((await request("/responses")).body).toEqual({ model: "prod-5", input: "x" });
    expect((await request("/chat/completions")).body).toEqual({ model: "azure/gpt-6-sol", input: "x" });
  });
});
