import { describe, expect, it } from "vitest";
import type { UpstreamCall } from "../provider.ts";
import { credentialSchema } from "./credential.ts";
import { backendOf, createRequest } from "./request.ts";

const NOW = 1_900_000_000_000;
const KEYS = credentialSchema.parse({ apiKeys: ["fk-a", "fk-b", "fk-c"] });
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

const call = (more: Partial<UpstreamCall> = {}): UpstreamCall => ({
  protocol: "anthropic",
  operation: "generate",
  model: "claude-x",
  stream: false,
  path: "/v1/messages",
  query: "",
  headers: new Headers(),
  body: new TextEncoder().encode("{}"),
  affinity: "key_1:session",
  ...more,
});
const request = (more: Partial<UpstreamCall> = {}, baseUrl: string | null = null, now = NOW) =>
  createRequest(call(more), KEYS, baseUrl, now);

describe("a call at Factory", () => {
  it.each([
    ["anthropic", "/v1/messages", "/a/v1/messages"],
    ["openai-responses", "/v1/responses", "/o/v1/responses"],
    ["openai-responses", "/responses", "/o/v1/responses"],
    ["openai-chat", "/v1/chat/completions", "/o/v1/chat/completions"],
  ] as const)("in %s goes from %s to %s", async (protocol, path, place) => {
    expect((await request({ protocol, path })).url).toBe(`https://api.factory.ai/api/llm${place}`);
    expect((await request({ protocol, path }, "https://x.test")).url).toBe(`https://x.test/api/llm${place}`);
    expect((await request({ protocol, path }, "https://x.test/llm/")).url).toBe(`https://x.test/llm${place}`);
  });

  it.each([
    ["anthropic", "claude-x", "anthropic"],
    ["openai-responses", "gpt-5.1-codex-max", "openai"],
    ["openai-responses", "gpt-5", "azure_openai"],
    ["openai-chat", "gemini-3-pro", "google"],
    ["openai-chat", "Claude-x", "anthropic"],
    ["openai-chat", "gpt-5", "azure_openai"],
    ["openai-chat", "glm-4.6", "fireworks"],
    ["openai-chat", "kimi", "baseten"],
  ] as const)("in %s for %s says that %s serves it", (protocol, model, backend) => {
    expect(backendOf({ protocol, model })).toBe(backend);
  });

  it("keeps its bytes, except for the metadata of Anthropic's clients", async () => {
    const text = '{"model": "claude-x","metadata":{"user_id":"u"},"temperature":1,"top_p":0.5}';
    const sent = async (protocol: UpstreamCall["protocol"]) =>
      new TextDecoder().decode((await request({ protocol, body: new TextEncoder().encode(text) })).body);
    expect(await sent("anthropic")).toBe('{"model":"claude-x","temperature":1,"top_p":0.5}');
    expect(await sent("openai-responses")).toBe(text);
  });

  it("brings no header that claims to be another client, or speaks of another's organization", async () => {
    const headers = new Headers({
      "user-agent": "factory-cli/0.215.0",
      "openai-platform": "org-foreign",
      "openai-organization": "org-foreign",
      "openai-project": "proj-foreign",
      "x-api-key": "cr_relay",
    });
    for (const protocol of ["anthropic", "openai-responses", "openai-chat"] as const) {
      const made = await request({ protocol, headers });
      expect(JSON.stringify([...made.headers])).not.toMatch(/foreign|cr_relay/);
      expect(made.headers.get("user-agent")).toBe("factory-cli/0.215.0");
      expect(made.headers.has("x-factory-client")).toBe(false);
      expect((await request({ protocol })).headers.has("user-agent")).toBe(false);
    }
  });
});

describe("the session that a call belongs to at Factory", () => {
  const sessionOf = async (more: Partial<UpstreamCall>) =>
    (await request(more)).headers.get("x-session-id") ?? "";

  it("is the client's own where it names one", async () => {
    expect(await sessionOf({ headers: new Headers({ "x-session-id": "session-of-droid" }) })).toBe(
      "session-of-droid",
    );
  });

  it("is else the same for a conversation, another for another, and says nothing of either", async () => {
    const one = await sessionOf({});
    expect(one).toMatch(UUID);
    expect(await sessionOf({ body: new TextEncoder().encode('{"a":1}') })).toBe(one);
    expect(await sessionOf({ affinity: "key_2:session" })).not.toBe(one);
    expect(await sessionOf({ headers: new Headers({ "x-session-id": "not a session id" }) })).toBe(one);
  });

  it("is one of its own for a call of no conversation, and the same when that is sent again", async () => {
    const lone = { affinity: null };
    expect(await sessionOf(lone)).toBe(await sessionOf(lone));
    expect(await sessionOf({ ...lone, body: new TextEncoder().encode('{"a":1}') })).not.toBe(
      await sessionOf(lone),
    );
  });
});

describe("the key of a call", () => {
  it("is named to the relay without telling it", async () => {
    const { headers, credentialPart } = await request();
    const apiKey = headers.get("authorization")?.replace("Bearer ", "");
    expect(["fk-a", "fk-b", "fk-c"][Number(credentialPart)]).toBe(apiKey);
  });

  it("is another now and then for calls of no conversation", async () => {
    const parts = new Set<string | undefined>();
    for (let i = 0; i < 50; i++) parts.add((await request({ affinity: null }, null, NOW + i)).credentialPart);
    expect(parts.size).toBe(3);
  });

  it("has no parts where a person signed in", async () => {
    const tokens = credentialSchema.parse({ accessToken: "access" });
    const made = await createRequest(call(), tokens, null, NOW);
    expect(made.headers.get("authorization")).toBe("Bearer access");
    expect(made.credentialPart).toBeUndefined();
  });
});
