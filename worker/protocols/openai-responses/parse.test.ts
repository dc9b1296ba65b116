import { describe, expect, it } from "vitest";
import { isUserTurn, withoutBoundParts } from "./conversation.ts";
import { parseResponsesCall } from "./parse.ts";

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const parse = (body: unknown, headers: Record<string, string> = {}, path = "/v1/responses") =>
  parseResponsesCall({ body: bytesOf(body), headers: new Headers(headers), path, query: "" });

const USER = { role: "user", content: "Hello" };
const DEVELOPER = { role: "developer", content: "You are a coding agent." };

describe("parseResponsesCall", () => {
  it("reads the model, the stream and the longest answer", () => {
    expect(parse({ model: "gpt-6-sol", stream: true, max_output_tokens: 64, input: "x" })).toMatchObject({
      model: "gpt-6-sol",
      stream: true,
      outputTokensMax: 64,
    });
    expect(parse({ model: "m", input: "x" })).toMatchObject({ stream: false, outputTokensMax: null });
    expect(parse({ model: "m", stream: true, input: [] }, {}, "/v1/responses/compact").stream).toBe(false);
  });

  it.each([
    [{ input: "x" }, "Missing required parameter: 'model'."],
    [{ model: 7 }, "Invalid type for 'model': expected the name of a model."],
    [{ model: "a\nb" }, "Invalid value for 'model': expected the name of a model."],
    [{ model: "m", stream: "yes" }, "Invalid type for 'stream': expected a boolean."],
  ])("refuses %j", (body, message) => {
    expect(() => parse(body)).toThrow(message);
  });

  it.each([
    ["header session-id", {}, { "session-id": "session-1" }],
    ["header session_id", {}, { session_id: "session-1" }],
    ["header x-session-id", {}, { "x-session-id": "session-1" }],
    ["header conversation_id", {}, { conversation_id: "session-1" }],
    ["prompt_cache_key", { prompt_cache_key: "session-1" }, {}],
    ["session_id", { session_id: "session-1" }, {}],
    ["conversation_id", { conversation_id: "session-1" }, {}],
  ] as const)("knows the conversation by its %s", (_, fields, headers) => {
    const { affinitySource } = parse({ model: "m", input: "x", ...fields }, headers);
    expect(affinitySource).toEqual({ kind: "session", id: "session-1" });
  });

  it("takes a cache key of any other form as a hash", () => {
    const { affinitySource } = parse({ model: "m", prompt_cache_key: "a key\nof words" });
    expect(affinitySource.kind).toBe("prefix");
  });

  it("knows it else by the instructions and by the first words of a person", () => {
    const textsOf = (body: Record<string, unknown>) => {
      const { affinitySource } = parse({ model: "m", ...body });
      if (affinitySource.kind !== "prefix") return affinitySource.kind;
      const text = JSON.stringify({ model: "m", ...body });
      return affinitySource.ranges.map(({ start, end }) => JSON.parse(text.slice(start, end)) as unknown);
    };
    expect(textsOf({ instructions: "Be kind.", input: [USER, { role: "assistant" }] })).toEqual([
      "Be kind.",
      USER,
    ]);
    expect(textsOf({ input: [DEVELOPER, USER, { role: "assistant" }, USER] })).toEqual([DEVELOPER, USER]);
    expect(textsOf({ instructions: "Be kind.", input: "Hello" })).toEqual(["Be kind.", "Hello"]);
    expect(textsOf({ input: "Hello" })).toBe("none");
    expect(textsOf({ input: [USER] })).toBe("none");
  });
});

describe("isUserTurn", () => {
  it("tells a person's words from a tool's", () => {
    expect(isUserTurn(bytesOf({ input: "Hello" }))).toBe(true);
    expect(isUserTurn(bytesOf({ input: [DEVELOPER, { type: "message", ...USER }] }))).toBe(true);
    expect(isUserTurn(bytesOf({ input: [USER, { type: "function_call_output", output: "x" }] }))).toBe(false);
    expect(isUserTurn(bytesOf({}))).toBe(false);
  });
});

describe("withoutBoundParts", () => {
  it("takes out the reasoning that only its own organization can read", () => {
    const input = [
      USER,
      { type: "reasoning", encrypted_content: "gAAA" },
      { type: "reasoning", summary: [] },
    ];
    const repaired = withoutBoundParts(bytesOf({ model: "m", input }));
    expect(JSON.parse(new TextDecoder().decode(repaired?.body))).toEqual({
      model: "m",
      input: [USER, { type: "reasoning", summary: [] }],
    });
    expect(withoutBoundParts(bytesOf({ input: [USER] }))).toBeNull();
    expect(withoutBoundParts(bytesOf({ input: "x" }))).toBeNull();
  });
});
