/** What every provider must hold: the contract suite loops over the registry. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { PROVIDERS } from "./index.ts";
import type { UpstreamCall } from "./provider.ts";

const NOW = 1_900_000_000_000;

const ASKED = { protocol: "anthropic", credentialPart: null } as const;

/** A credential of each provider that its schema accepts. */
const CREDENTIALS: Readonly<Record<string, unknown>> = {
  "claude-console": { apiKey: "sk-ant-secret-of-the-account" },
  "gemini-api": { apiKey: "AIza-secret-of-the-account" },
  "gemini-oauth": { accessToken: "access-secret", refreshToken: "refresh-secret", expiresAt: NOW },
  ccr: { apiKey: "secret-of-the-router" },
  bedrock: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret-of-aws", region: "us-east-1" },
  "claude-oauth": { accessToken: "access-secret", refreshToken: "refresh-secret", expiresAt: NOW },
  "openai-oauth": {
    accessToken: "access-secret",
    refreshToken: "refresh-secret",
    expiresAt: NOW,
    accountId: "a-1",
  },
  "openai-responses": { apiKey: "sk-secret-of-the-account" },
  "openai-chat": { apiKey: "secret-of-the-endpoint", testModel: "deepseek-chat" },
  droid: { apiKeys: ["fk-secret-of-the-account", "fk-another-secret"] },
  "azure-openai": {
    apiKey: "secret-of-the-account",
    endpoint: "https://x.openai.azure.com",
    deployment: "d",
  },
};

/** As every provider accepts it, so that few have to change it. */
const BODY = '{"store":false,"stream":true}';

/** What becomes of the body where an upstream wants one of its own; elsewhere it is untouched. */
const BODIES: Readonly<Record<string, string>> = {
  bedrock: '{"anthropic_version":"bedrock-2023-05-31","store":false}',
};

const call = (overrides: Partial<UpstreamCall> = {}): UpstreamCall => ({
  protocol: "anthropic",
  operation: "generate",
  model: "m",
  stream: false,
  path: "/v1/messages",
  query: "beta=true",
  headers: new Headers({
    "user-agent": "test/1",
    cookie: "a=b",
    authorization: "Bearer cr_relay-key",
    "api-key": "cr_relay-key",
    "x-goog-api-key": "cr_relay-key",
    "x-forwarded-for": "1.2.3.4",
    "x-relay-internal": "1",
    host: "relay.test",
    "accept-encoding": "br",
  }),
  body: new TextEncoder().encode(BODY),
  affinity: "key_1:session",
  ...overrides,
});

describe.each([...PROVIDERS.values()])("provider $id", (provider) => {
  const credential = provider.credentialSchema.parse(CREDENTIALS[provider.id]);
  const baseUrl = provider.needsBaseUrl === true ? "https://upstream.test" : null;

  it("judges every status from 100 to 599, and delivers only success", () => {
    for (let status = 100; status < 600; status++) {
      for (const bodyText of ["", "<html>", '{"error":{"type":"x","message":"y"}}']) {
        const verdict = provider.judge({ status, headers: new Headers(), bodyText, model: "m" }, NOW, ASKED);
        expect(verdict.kind === "deliver").toBe(status >= 200 && status < 300);
      }
    }
  });

  it("survives limit headers that make no sense", () => {
    for (const value of ["", "abc", "-5", "1e99", "NaN", "99999999999999999999", "Wed, 99 Foo 2030"]) {
      const headers = new Headers({ "retry-after": value, "anthropic-ratelimit-unified-reset": value });
      const verdict = provider.judge({ status: 429, headers, bodyText: "", model: "m" }, NOW, ASKED);
      expect(verdict).toMatchObject({ kind: "failover", until: null });
    }
  });

  it("makes the same request for the same call, with no more of its body changed than it must", async () => {
    const first = await provider.createRequest(call(), credential, baseUrl, NOW);
    const second = await provider.createRequest(call(), credential, baseUrl, NOW);
    expect([...first.headers]).toEqual([...second.headers]);
    expect(first.url).toBe(second.url);
    expect(new TextDecoder().decode(first.body)).toBe(BODIES[provider.id] ?? BODY);
    expect(second.body).toEqual(first.body);
    expect(first.url.startsWith("https://")).toBe(true);
  });

  it("forwards nothing that speaks of the client's network or of us", async () => {
    const { headers } = await provider.createRequest(call(), credential, baseUrl, NOW);
    for (const name of ["cookie", "x-forwarded-for", "x-relay-internal", "host"])
      expect(headers.has(name)).toBe(false);
    expect(JSON.stringify([...headers])).not.toContain("cr_relay-key");
    expect(headers.get("user-agent")).toBe("test/1");
    expect(headers.get("accept-encoding")).toBe("identity");
  });

  it("refuses credentials that could smuggle a header or are not there", () => {
    for (const wrong of [{}, null, "text", { apiKey: "a\r\nx: y" }, { accessToken: "a b" }, { apiKey: "" }]) {
      expect(provider.credentialSchema.safeParse(wrong).success).toBe(false);
    }
  });

  it("has a small call that proves an account works", () => {
    const test = provider.testCall(credential);
    expect(provider.protocols).toContain(test.protocol);
    const { model } = z
      .object({ model: z.string().optional() })
      .parse(JSON.parse(new TextDecoder().decode(test.body)));
    // Google's dialect names the model in the path.
    expect(model ?? test.path.replace(/^.*\/|:.*$/g, "")).toBe(test.model);
    expect(test.body.length).toBeLessThan(300);
  });
});
