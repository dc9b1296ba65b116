import { describe, expect, it } from "vitest";
import { isUserTurn } from "./conversation.ts";
import { parseChatCall } from "./parse.ts";

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const parse = (body: unknown, path = "/v1/chat/completions") =>
  parseChatCall({ body: bytesOf(body), headers: new Headers(), path, query: "" });

const USER = { role: "user", content: "Hello" };
const SYSTEM = { role: "system", content: "Be kind." };
const TOOL = { role: "tool", content: "42" };

describe("parseChatCall", () => {
  it("reads the model, the stream and the longest answer, under its new name and its old one", () => {
    const call = { model: "m", messages: [USER], stream: true };
    expect(parse({ ...call, max_completion_tokens: 9, max_tokens: 5 })).toMatchObject({
      model: "m",
      stream: true,
      outputTokensMax: 9,
    });
    expect(parse({ ...call, max_tokens: 5 }).outputTokensMax).toBe(5);
    expect(parse({ ...call, max_tokens: "many" }).outputTokensMax).toBeNull();
  });

  it.each([
    [{ model: "m" }, "/v1/chat/completions", "Missing required parameter: 'messages'."],
    [{ model: "m", messages: "x" }, "/v1/chat/completions", "Invalid type for 'messages'"],
    [{ messages: [] }, "/v1/chat/completions", "Missing required parameter: 'model'."],
    [{ model: "m" }, "/v1/embeddings", "Missing required parameter: 'input'."],
    [{ model: "m", prompt: "x", stream: true }, "/v1/images/generations", "Unsupported value: 'stream'"],
    [{ model: "m" }, "/v1/images/generations", "Missing required parameter: 'prompt'."],
  ])("refuses %j on %s", (body, path, message) => {
    expect(() => parse(body, path)).toThrow(message);
  });

  it("knows a conversation by its instructions and by a person's first words", () => {
    const body = { messages: [SYSTEM, USER, { role: "assistant" }, USER], model: "m" };
    const { affinitySource } = parse(body);
    if (affinitySource.kind !== "prefix") throw new Error("no prefix");
    const text = JSON.stringify(body);
    expect(
      affinitySource.ranges.map(({ start, end }) => JSON.parse(text.slice(start, end)) as unknown),
    ).toEqual([SYSTEM, USER]);
    expect(parse({ model: "m", messages: [USER] }).affinitySource.kind).toBe("none");
    expect(parse({ model: "m", input: ["a", "b"] }, "/v1/embeddings").affinitySource.kind).toBe("none");
  });
});

describe("isUserTurn", () => {
  it("tells a person's words from a tool's", () => {
    expect(isUserTurn(bytesOf({ messages: [SYSTEM, USER] }))).toBe(true);
    expect(isUserTurn(bytesOf({ messages: [USER, TOOL] }))).toBe(false);
    expect(isUserTurn(bytesOf({}))).toBe(false);
  });
});
