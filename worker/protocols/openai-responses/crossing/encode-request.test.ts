import { describe, expect, it } from "vitest";
import { RelayError } from "../../../domain/errors.ts";
import { BARE_REQUEST, type MediaPart, type NeutralRequest, type Part, type Turn } from "../../neutral.ts";
import { encodeRequest } from "./encode-request.ts";

const text = (value: string): Part => ({ kind: "text", text: value, cache: null });
const media = (of: Partial<MediaPart>): MediaPart => ({
  kind: "media",
  mediaType: "image/png",
  source: { kind: "base64", data: "AAAA" },
  name: null,
  cache: null,
  ...of,
});
const call = (id: string, name = "f"): Part => ({
  kind: "tool_call",
  id,
  name,
  arguments: '{"a":1}',
  signature: null,
});
const result = (content: readonly (Part & { kind: "text" | "media" })[], isError = false): Part => ({
  kind: "tool_result",
  callId: "call_1",
  name: "f",
  content,
  isError,
  cache: null,
});
const user = (...parts: readonly Part[]): Turn => ({ role: "user", parts });
const assistant = (...parts: readonly Part[]): Turn => ({ role: "assistant", parts });
const system = (...parts: readonly Part[]): Turn => ({ role: "system", parts });

const encode = (more: Partial<NeutralRequest>) =>
  encodeRequest({ ...BARE_REQUEST, model: "some-model", turns: [user(text("Hi"))], ...more });
const inputOf = (...turns: readonly Turn[]) => encode({ turns }).body["input"];
const tool = (name: string) => ({
  name,
  description: "Does it.",
  parameters: { type: "object" },
  strict: null,
  cache: null,
});

describe("encodeRequest", () => {
  it("asks for an answer that is stored nowhere, with what the model thought", () => {
    expect(encode({ stream: true })).toMatchObject({
      path: "/v1/responses",
      query: "",
      omitted: [],
      body: {
        model: "some-model",
        input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "Hi" }] }],
        stream: true,
        store: false,
        include: ["reasoning.encrypted_content"],
      },
    });
  });

  it("says what comes first to the model as instructions, and what comes later as the developer", () => {
    const turns = [system(text("One.")), system(text("Two.")), user(text("Hi")), system(text("Three."))];
    expect(encode({ turns }).body).toMatchObject({
      instructions: "One.\n\nTwo.",
      input: [
        { role: "user" },
        { type: "message", role: "developer", content: [{ type: "input_text", text: "Three." }] },
      ],
    });
    expect(encode({}).body).not.toHaveProperty("instructions");
  });

  it("keeps the order of what was said, called and answered", () => {
    expect(
      inputOf(assistant(text("a"), text("b"), call("call_1"), text("c")), user(result([]), text("d"))),
    ).toEqual([
      {
        type: "message",
        role: "assistant",
        content: [
          { type: "output_text", text: "a" },
          { type: "output_text", text: "b" },
        ],
      },
      { type: "function_call", call_id: "call_1", name: "f", arguments: '{"a":1}' },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "c" }] },
      { type: "function_call_output", call_id: "call_1", output: "" },
      { type: "message", role: "user", content: [{ type: "input_text", text: "d" }] },
    ]);
  });

  it("sends pictures and documents by their bytes or their address", () => {
    const url = (address: string) => ({ kind: "url", url: address }) as const;
    const pdf = { mediaType: "application/pdf", name: "a.pdf" };
    const parts = [
      media({}),
      media({ mediaType: null, source: url("https://example.com/a") }),
      media(pdf),
      media({ mediaType: "text/plain" }),
      media({ ...pdf, source: url("https://example.com/a") }),
      media({ mediaType: null, source: url("https://example.com/a.PDF?x=1") }),
    ];
    expect(inputOf(user(...parts))).toMatchObject([
      {
        content: [
          { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "auto" },
          { type: "input_image", image_url: "https://example.com/a" },
          { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" },
          { type: "input_file", filename: "document.txt", file_data: "data:text/plain;base64,AAAA" },
          { type: "input_file", file_url: "https://example.com/a" },
          { type: "input_file", file_url: "https://example.com/a.PDF?x=1" },
        ],
      },
    ]);
  });

  it("shows the model its own pictures as a person would", () => {
    expect(inputOf(assistant(text("Here."), media({})))).toMatchObject([
      { role: "assistant", content: [{ type: "output_text" }] },
      { role: "user", content: [{ type: "input_image" }] },
    ]);
  });

  it.each([
    ["text as it is", [text("1")], false, "1"],
    ["an error that says so as it is", [text("Error: no")], true, "Error: no"],
    [
      "an error of Claude Code as it is",
      [text("<tool_use_error>no</tool_use_error>")],
      true,
      "<tool_use_error>no</tool_use_error>",
    ],
    ["an error that does not say so with a word", [text("no")], true, "Error: no"],
    ["an error without words", [], true, "Error:"],
  ])("sends of a tool's answer %s", (_, content, isError, output) => {
    const parts = content as readonly (Part & { kind: "text" })[];
    expect(inputOf(user(result(parts, isError)))).toEqual([
      { type: "function_call_output", call_id: "call_1", output },
    ]);
  });

  it("sends several parts of a tool's answer as a list", () => {
    const picture = { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "auto" };
    const words = { kind: "text", text: "a", cache: null } as const;
    expect(inputOf(user(result([words, media({})])))).toMatchObject([
      { output: [{ type: "input_text", text: "a" }, picture] },
    ]);
    expect(inputOf(user(result([words, words])))).toMatchObject([{ output: [{ text: "a" }, { text: "a" }] }]);
  });

  it("sends back what its own dialect thought, and nothing that another did", () => {
    const thinking = (origin: "anthropic" | "openai-responses", value: string): Part => ({
      kind: "thinking",
      text: value,
      signature: { origin, data: "sig" },
      redacted: false,
    });
    const unsigned: Part = { kind: "thinking", text: "Hm.", signature: null, redacted: false };
    expect(
      inputOf(
        assistant(
          thinking("anthropic", "a"),
          thinking("openai-responses", "b"),
          thinking("openai-responses", ""),
          unsigned,
        ),
      ),
    ).toEqual([
      { type: "reasoning", summary: [{ type: "summary_text", text: "b" }], encrypted_content: "sig" },
      { type: "reasoning", summary: [], encrypted_content: "sig" },
    ]);
  });

  it("sends tools as functions that need not be strict", () => {
    const tools = [tool("f"), { ...tool("g"), description: null, strict: true }];
    const request = encode({ tools, toolChoice: { kind: "required" }, parallelToolCalls: false });
    expect(request.body).toMatchObject({
      tools: [
        {
          type: "function",
          name: "f",
          description: "Does it.",
          parameters: { type: "object" },
          strict: false,
        },
        { type: "function", name: "g", parameters: { type: "object" }, strict: true },
      ],
      tool_choice: "required",
      parallel_tool_calls: false,
    });
  });

  it("shortens a name that is too long wherever it stands", () => {
    const name = "tool_".repeat(20);
    const { body } = encode({
      tools: [tool(name)],
      toolChoice: { kind: "named", name },
      turns: [user(text("Hi")), assistant(call("call_1", name))],
    });
    const short = expect.stringMatching(/^[a-z_0-9]{1,64}$/) as string;
    expect(body).toMatchObject({
      tools: [{ name: short }],
      tool_choice: { type: "function", name: short },
      input: [{}, { name: short }],
    });
  });

  it("does not choose between no tools", () => {
    const { body } = encode({ toolChoice: { kind: "none" }, parallelToolCalls: true });
    expect(Object.keys(body)).not.toContain("tool_choice");
    expect(Object.keys(body)).not.toContain("parallel_tool_calls");
  });

  it("sends sampling, and leaves out what is a model's own way", () => {
    expect(encode({ temperature: 0.5, topP: 0.9 }).body).toMatchObject({ temperature: 0.5, top_p: 0.9 });
    const { body, omitted } = encode({ temperature: 1, topP: 1 });
    expect(body).not.toHaveProperty("temperature");
    expect(body).not.toHaveProperty("top_p");
    expect(omitted).toEqual([]);
  });

  it.each(["gpt-6-sol", "gpt-5.5-codex", "o4-mini", "openai/gpt-5"])(
    "leaves sampling out for %s, which refuses it",
    (model) => {
      const { body, omitted } = encode({ model, temperature: 0, topP: 0.9 });
      expect(body).not.toHaveProperty("temperature");
      expect(omitted).toEqual(["temperature", "top_p"]);
    },
  );

  it("leaves out the sampling that this dialect has no word for", () => {
    const { omitted } = encode({ topK: 5, seed: 1, presencePenalty: 1, frequencyPenalty: 1 });
    expect(omitted).toEqual(["top_k", "seed", "presence_penalty", "frequency_penalty"]);
  });

  it("asks for no fewer tokens than are granted", () => {
    expect(encode({ outputTokensMax: 1 }).body).toMatchObject({ max_output_tokens: 16 });
    expect(encode({ outputTokensMax: 99 }).body).toMatchObject({ max_output_tokens: 99 });
    expect(encode({}).body).not.toHaveProperty("max_output_tokens");
  });

  it.each([
    [{ effort: "xhigh", budgetTokens: null, visible: false }, { effort: "xhigh" }],
    [
      { effort: "low", budgetTokens: 30_000, visible: true },
      { effort: "low", summary: "auto" },
    ],
    [{ effort: null, budgetTokens: 1024, visible: false }, { effort: "low" }],
    [{ effort: null, budgetTokens: 8192, visible: false }, { effort: "medium" }],
    [{ effort: null, budgetTokens: 31_999, visible: false }, { effort: "high" }],
    [{ effort: null, budgetTokens: 0, visible: false }, { effort: "none" }],
    [{ effort: null, budgetTokens: null, visible: true }, { summary: "auto" }],
    [{ effort: null, budgetTokens: null, visible: false }, undefined],
  ] as const)("asks for the reasoning %j", (reasoning, expected) => {
    expect(encode({ reasoning }).body["reasoning"]).toEqual(expected);
  });

  it.each(["gpt-4.1", "chatgpt-4o-latest", "gpt-5-chat-latest"])(
    "asks %s for no reasoning: it has none",
    (model) => {
      const { body, omitted } = encode({
        model,
        temperature: 0,
        reasoning: { effort: "high", budgetTokens: null, visible: true },
      });
      expect(body).not.toHaveProperty("reasoning");
      expect(body).not.toHaveProperty("include");
      expect(body).toMatchObject({ temperature: 0 });
      expect(omitted).toEqual(["reasoning"]);
    },
  );

  it("asks for JSON", () => {
    expect(encode({ format: { kind: "json" } }).body).toMatchObject({
      text: { format: { type: "json_object" } },
    });
    const format = { kind: "schema", name: "answer", schema: { type: "object" }, strict: null } as const;
    expect(encode({ format }).body).toMatchObject({
      text: { format: { type: "json_schema", name: "answer", schema: { type: "object" }, strict: false } },
    });
  });

  it("names the person and the cache, unless the name is longer than is granted", () => {
    const long = "x".repeat(65);
    expect(encode({ user: "u", cacheKey: "k" }).body).toMatchObject({ user: "u", prompt_cache_key: "k" });
    const { body, omitted } = encode({ user: long, cacheKey: long });
    expect(body).not.toHaveProperty("user");
    expect(body).not.toHaveProperty("prompt_cache_key");
    expect(omitted).toEqual(["user", "prompt_cache_key"]);
  });

  it.each([
    ["stop", { stop: ["END"] }],
    ["audio/wav", { turns: [user(media({ mediaType: "audio/wav" }))] }],
    ["video/mp4", { turns: [user(media({ mediaType: "video/mp4" }))] }],
  ])("refuses %s", (what, more) => {
    const refused = (): unknown => encode(more);
    expect(refused).toThrow(RelayError);
    expect(refused).toThrow(`${what}: is not supported here`);
  });
});
