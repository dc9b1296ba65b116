import { afterAll, describe, expect, it } from "vitest";
import { derivedUsage } from "../derived-usage.ts";
import { startUpstream } from "../server.ts";
import { usageMetadata } from "./dialect.ts";
import { asMessages, googleCallOf } from "./request.ts";

const upstream = await startUpstream();
afterAll(async () => {
  await upstream.close();
});

const BODY = { contents: [{ role: "user", parts: [{ text: "say 你好 🌍" }] }] };
const PATH = "/v1beta/models/gemini-2.5-pro";

async function post(credential: string, path: string, body: object = BODY) {
  return await fetch(upstream.url + path, {
    method: "POST",
    headers: { "x-goog-api-key": credential, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

const call = googleCallOf("POST", `${PATH}:generateContent`);
const expected = usageMetadata(derivedUsage((call && asMessages(BODY, call)) ?? {}));

describe("Google's APIs", () => {
  it("answer with the prompt and the usage derived from it, bare and in the envelope", async () => {
    const bare: unknown = await (await post("google-json", `${PATH}:generateContent`)).json();
    expect(bare).toMatchObject({
      candidates: [{ content: { parts: [{ text: "fake answer: say 你好 🌍 你好，世界 🌍" }] } }],
      usageMetadata: expected,
      modelVersion: "gemini-2.5-pro",
    });
    const envelope = { model: "gemini-2.5-pro", request: BODY };
    const wrapped: unknown = await (
      await post("google-json", "/v1internal:generateContent", envelope)
    ).json();
    expect(wrapped).toMatchObject({ response: { usageMetadata: expected } });
    const { usage, requests } = await upstream.control.statsOf("google-json");
    expect(requests).toBe(2);
    expect(usage.inputTokens).toBe(2 * expected.promptTokenCount);
  });

  it("stream the same as events and as an array", async () => {
    const events = await (await post("google-sse", `${PATH}:streamGenerateContent?alt=sse`)).text();
    const told = [...events.matchAll(/^data: (.*)\r$/gm)].map(([, data = ""]) => JSON.parse(data) as object);
    const array = (await (await post("google-array", `${PATH}:streamGenerateContent`)).json()) as object[];
    const withoutIds = (all: object[]) => all.map((message) => ({ ...message, responseId: "" }));
    expect(withoutIds(array)).toEqual(withoutIds(told));
    expect(array.at(-1)).toMatchObject({
      candidates: [{ finishReason: "STOP" }],
      usageMetadata: expected,
    });
  });

  it("end a stream with an error in its form, from the first event on", async () => {
    const error = { kind: "errorEvent", errorType: "UNAVAILABLE", message: "Overloaded" } as const;
    for (const afterEvents of [0, 2]) {
      await upstream.control.set("google-error", { ...error, afterEvents });
      const response = await post("google-error", `${PATH}:streamGenerateContent`);
      const array = (await response.json()) as object[];
      expect(array).toHaveLength(afterEvents + 1);
      expect(array.at(-1)).toMatchObject({ error: { code: 503, status: "UNAVAILABLE" } });
    }
    expect((await post("google-error", `${PATH}:generateContent`)).status).toBe(503);
  });

  it("count tokens, and tell of an account", async () => {
    const count: unknown = await (await post("google-other", `${PATH}:countTokens`)).json();
    expect(count).toEqual({ totalTokens: expected.promptTokenCount });
    const loaded: unknown = await (await post("google-other", "/v1internal:loadCodeAssist", {})).json();
    expect(loaded).toMatchObject({ cloudaicompanionProject: expect.any(String) as string });
    expect(await upstream.control.statsOf("google-other")).toMatchObject({ requests: 0, otherRequests: 2 });
  });

  it("answer in the form that a schema demands, whose types Google writes in capitals", async () => {
    const responseJsonSchema = {
      type: "OBJECT",
      properties: { score: { type: "INTEGER" }, reason: { type: "STRING" } },
      required: ["score", "reason"],
    };
    const body = { ...BODY, generationConfig: { responseJsonSchema } };
    const response = await post("google-schema", `${PATH}:generateContent`, body);
    const { candidates } = (await response.json()) as {
      candidates: { content: { parts: { text: string }[] } }[];
    };
    expect(JSON.parse(candidates[0]?.content.parts[0]?.text ?? "")).toEqual({
      score: 1,
      reason: "fake reason",
    });
  });

  it("refuse in their own words", async () => {
    const response = await post("refused-key", `${PATH}:generateContent`);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: { code: 401, status: "UNAUTHENTICATED" } });
    expect((await post("google-bad", `${PATH}:generateContent`, {})).status).toBe(400);
  });
});
