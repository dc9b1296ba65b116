import { describe, expect, it } from "vitest";
import type { NeutralRequest } from "../../neutral.ts";
import { callWith } from "./__fixtures__/calls.ts";
import { crossing } from "./index.ts";

const decode = (fields: Readonly<Record<string, unknown>>): NeutralRequest =>
  crossing.client.decodeRequest(callWith(fields));
const turnsOf = (...messages: readonly unknown[]) => decode({ messages }).turns;
const refusal = (fields: Readonly<Record<string, unknown>>): string => {
  try {
    decode(fields);
  } catch (error) {
    expect(error).toMatchObject({ code: "invalid_request" });
    return (error as Error).message;
  }
  return "not refused";
};

const PARAMETERS = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const TOOL = {
  type: "function",
  function: { name: "get_weather", description: "Weather.", parameters: PARAMETERS, strict: true },
};
const call = (id: string, name: string, args = "{}", more: object = {}) => ({
  id,
  type: "function",
  function: { name, arguments: args },
  ...more,
});
const text = (value: string) => ({ kind: "text", text: value, cache: null });

describe("messages", () => {
  it("are turns: instructions, a person, the model, and results together", () => {
    expect(
      turnsOf(
        { role: "system", content: "Be brief." },
        { role: "developer", content: [{ type: "text", text: "Use metres." }] },
        { role: "user", content: "Weather in Riga and Oslo?" },
        {
          role: "assistant",
          content: "Looking.",
          tool_calls: [call("a", "w", '{"city":"Riga"}'), call("b", "w")],
        },
        { role: "tool", tool_call_id: "a", content: "Rain." },
        { role: "tool", tool_call_id: "b", content: [{ type: "text", text: "Snow." }] },
        { role: "user", content: "Thanks." },
        { role: "system", content: "The day is over." },
      ),
    ).toEqual([
      { role: "system", parts: [text("Be brief.")] },
      { role: "system", parts: [text("Use metres.")] },
      { role: "user", parts: [text("Weather in Riga and Oslo?")] },
      {
        role: "assistant",
        parts: [
          text("Looking."),
          { kind: "tool_call", id: "a", name: "w", arguments: '{"city":"Riga"}', signature: null },
          { kind: "tool_call", id: "b", name: "w", arguments: "{}", signature: null },
        ],
      },
      {
        role: "user",
        parts: [
          {
            kind: "tool_result",
            callId: "a",
            name: "w",
            content: [text("Rain.")],
            isError: false,
            cache: null,
          },
          {
            kind: "tool_result",
            callId: "b",
            name: "w",
            content: [text("Snow.")],
            isError: false,
            cache: null,
          },
        ],
      },
      { role: "user", parts: [text("Thanks.")] },
      { role: "system", parts: [text("The day is over.")] },
    ]);
  });

  it("keep pictures, documents and recordings, by their bytes or their address", () => {
    const [turn] = turnsOf({
      role: "user",
      content: [
        { type: "text", text: "See.", cache_control: { type: "ephemeral", ttl: "1h" } },
        { type: "image_url", image_url: { url: "data:image/jpg;base64,/9j/" } },
        { type: "image_url", image_url: { url: "https://files.example/a.png" } },
        { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" } },
        { type: "file", file: { file_data: "JVBERi0=" } },
        { type: "file", file: { file_data: "https://files.example/a.pdf" } },
        { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } },
      ],
    });
    const media = (mediaType: string | null, source: object, name: string | null = null) => ({
      kind: "media",
      mediaType,
      source,
      name,
      cache: null,
    });
    const bytes = (data: string) => ({ kind: "base64", data });
    const at = (url: string) => ({ kind: "url", url });
    expect(turn?.parts).toEqual([
      { kind: "text", text: "See.", cache: "1h" },
      media("image/jpeg", bytes("/9j/")),
      media(null, at("https://files.example/a.png")),
      media("application/pdf", bytes("JVBERi0="), "a.pdf"),
      media("application/pdf", bytes("JVBERi0=")),
      media("application/pdf", at("https://files.example/a.pdf")),
      media("audio/wav", bytes("UklGRg==")),
    ]);
  });

  it("leave out what is empty", () => {
    expect(turnsOf({ role: "system", content: "" }, { role: "assistant", content: null })).toEqual([]);
    const content = [
      { type: "text", text: "" },
      { type: "text", text: "x" },
    ];
    expect(turnsOf({ role: "user", content })).toEqual([{ role: "user", parts: [text("x")] }]);
  });

  it("keep what was refused and painted", () => {
    const images = [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBO" } }];
    expect(turnsOf({ role: "assistant", content: null, refusal: "No.", images })[0]?.parts).toMatchObject([
      text("No."),
      { kind: "media", mediaType: "image/png" },
    ]);
  });

  it("keep reasoning: as text, and as what other dialects signed", () => {
    const think = (signature: unknown, said = "", redacted = false) => ({
      kind: "thinking",
      text: said,
      signature,
      redacted,
    });
    expect(turnsOf({ role: "assistant", reasoning_content: "Hm.", content: "x" })[0]?.parts).toEqual([
      think(null, "Hm."),
      text("x"),
    ]);
    const reasoning_details = [
      { type: "reasoning.text", text: "Hm.", signature: "anthropic#ErUB", index: 0 },
      { type: "reasoning.encrypted", data: "openai-responses#gAAA", index: 1 },
      { type: "reasoning.summary", summary: "So." },
      { type: "reasoning.text", text: "Own.", signature: "sig", format: "x" },
      { type: "reasoning.unknown" },
      "junk",
    ];
    const message = { role: "assistant", reasoning_content: "Hm.", reasoning_details, content: "x" };
    expect(turnsOf(message)[0]?.parts).toEqual([
      think({ origin: "anthropic", data: "ErUB" }, "Hm."),
      think({ origin: "openai-responses", data: "gAAA" }, "", true),
      think(null, "So."),
      think(
        { origin: "openai-chat", data: '{"type":"reasoning.text","signature":"sig","format":"x"}' },
        "Own.",
      ),
      text("x"),
    ]);
  });

  it("keep what calls were signed with", () => {
    const tool_calls = [
      call("a", "f", "{}", { extra_content: { google: { thought_signature: "CpcB" } } }),
      call("b", "f", "{}", { extra_content: { edge_relay: { signature: "anthropic#x" } } }),
      call("c", "f", "{}", { extra_content: { other: 1 } }),
    ];
    expect(turnsOf({ role: "assistant", tool_calls })[0]?.parts).toMatchObject([
      { signature: { origin: "gemini", data: "CpcB" } },
      { signature: { origin: "anthropic", data: "x" } },
      { signature: null },
    ]);
  });

  it("give ids that every dialect takes, the same to a call and its result", () => {
    const id = "functions.read:0";
    const turns = turnsOf(
      { role: "assistant", tool_calls: [call(id, "read")] },
      { role: "tool", tool_call_id: id, content: "x" },
    );
    const [made, got] = turns.flatMap(({ parts }) => parts);
    expect(made).toMatchObject({ id: expect.stringMatching(/^[\w-]{1,64}$/) as unknown });
    expect(got).toMatchObject({ callId: made?.kind === "tool_call" ? made.id : "" });
  });

  it.each([
    ["", "{}"],
    ["  ", "{}"],
    ['{"a":1}', '{"a":1}'],
    ['{"a":', '{"value":"{\\"a\\":"}'],
    ["[1]", '{"value":[1]}'],
  ])("have arguments that are an object: %j", (said, kept) => {
    const [turn] = turnsOf({ role: "assistant", tool_calls: [call("a", "f", said)] });
    expect(turn?.parts[0]).toMatchObject({ arguments: kept });
  });

  it("may be in the older form of functions", () => {
    const turns = turnsOf(
      { role: "assistant", content: null, function_call: { name: "f", arguments: "{}" } },
      { role: "function", name: "f", content: "1" },
      { role: "assistant", content: null, function_call: { name: "f", arguments: "{}" } },
      { role: "function", name: "f", content: "2" },
    );
    const ids = turns.flatMap(({ parts }) =>
      parts.flatMap((part) =>
        part.kind === "tool_call" ? part.id : part.kind === "tool_result" ? part.callId : [],
      ),
    );
    expect(ids).toHaveLength(4);
    expect([ids[0], ids[2]]).toEqual([ids[1], ids[3]]);
    expect(new Set(ids).size).toBe(2);
  });
});

describe("tools", () => {
  it("are carried with their schemas, and get one where they have none", () => {
    const bare = { type: "function", function: { name: "now" }, cache_control: { type: "ephemeral" } };
    expect(decode({ tools: [TOOL, bare] }).tools).toEqual([
      { name: "get_weather", description: "Weather.", parameters: PARAMETERS, strict: true, cache: null },
      {
        name: "now",
        description: null,
        parameters: { type: "object", properties: {} },
        strict: null,
        cache: "5m",
      },
    ]);
  });

  it.each([
    ["auto", { kind: "auto" }],
    ["none", { kind: "none" }],
    ["required", { kind: "required" }],
    [
      { type: "function", function: { name: "f" } },
      { kind: "named", name: "f" },
    ],
    [undefined, null],
  ])("are chosen: %j", (tool_choice, choice) => {
    expect(decode({ tools: [TOOL], tool_choice }).toolChoice).toEqual(choice);
  });

  it("are fewer where only some are allowed", () => {
    const allowed = { mode: "required", tools: [{ type: "function", function: { name: "get_weather" } }] };
    const tools = [TOOL, { type: "function", function: { name: "other" } }];
    const request = decode({ tools, tool_choice: { type: "allowed_tools", allowed_tools: allowed } });
    expect(request.tools.map(({ name }) => name)).toEqual(["get_weather"]);
    expect(request.toolChoice).toEqual({ kind: "required" });
  });

  it("of the upstream's own are left out, unless one is forced", () => {
    const tools = [TOOL, { type: "web_search" }];
    expect(decode({ tools }).omitted).toEqual(["tools: web_search"]);
    expect(refusal({ tools, tool_choice: { type: "web_search" } })).toContain(
      "tool_choice of type web_search",
    );
  });

  it("may be functions, of which one is called at a time", () => {
    const functions = [{ name: "f", parameters: PARAMETERS }];
    expect(decode({ functions, function_call: { name: "f" } })).toMatchObject({
      tools: [{ name: "f", parameters: PARAMETERS }],
      toolChoice: { kind: "named", name: "f" },
      parallelToolCalls: false,
    });
    expect(decode({ functions, function_call: "none" }).toolChoice).toEqual({ kind: "none" });
  });
});

describe("options", () => {
  it("are carried", () => {
    expect(
      decode({
        stream: true,
        parallel_tool_calls: false,
        temperature: 1.5,
        top_p: 0.9,
        top_k: 40,
        seed: 7,
        presence_penalty: -1,
        frequency_penalty: 2,
        stop: ["END", ""],
        reasoning_effort: "high",
        response_format: { type: "json_object" },
        user: "u1",
        prompt_cache_key: "k1",
        max_tokens: 10,
        max_completion_tokens: 20,
      }),
    ).toMatchObject({
      model: "gpt-6-luna",
      stream: true,
      parallelToolCalls: false,
      temperature: 1.5,
      topP: 0.9,
      topK: 40,
      seed: 7,
      presencePenalty: -1,
      frequencyPenalty: 2,
      stop: ["END"],
      reasoning: { effort: "high", budgetTokens: null, visible: true },
      format: { kind: "json" },
      user: "u1",
      cacheKey: "k1",
      outputTokensMax: 20,
      omitted: [],
    });
  });

  it("are absent where the client does not say", () => {
    const nothing = { stop: null, max_tokens: null, response_format: { type: "text" }, temperature: null };
    expect(decode(nothing)).toMatchObject({
      stream: false,
      stop: [],
      outputTokensMax: null,
      format: null,
      temperature: null,
      reasoning: null,
      parallelToolCalls: null,
    });
    expect(decode({ max_tokens: 10, stop: "END" })).toMatchObject({ outputTokensMax: 10, stop: ["END"] });
  });

  it("name a budget and hide reasoning in OpenRouter's form", () => {
    expect(decode({ reasoning: { max_tokens: 2_000, exclude: true } }).reasoning).toEqual({
      effort: null,
      budgetTokens: 2_000,
      visible: false,
    });
    expect(decode({ reasoning: { enabled: false } }).reasoning?.effort).toBe("none");
  });

  it("name a schema for the answer", () => {
    const json_schema = { name: "place", schema: PARAMETERS, strict: true };
    expect(decode({ response_format: { type: "json_schema", json_schema } }).format).toEqual({
      kind: "schema",
      name: "place",
      schema: PARAMETERS,
      strict: true,
    });
  });

  it("are left out and told where the answer means the same without them", () => {
    const content = [{ type: "image_url", image_url: { url: "https://files.example/a.png", detail: "low" } }];
    expect(
      decode({
        messages: [{ role: "user", name: "Ann", content }],
        store: true,
        metadata: { a: "b" },
        service_tier: "flex",
        verbosity: "low",
        prediction: { type: "content", content: "x" },
        web_search_options: {},
        modalities: ["text", "image"],
      }).omitted,
    ).toEqual([
      "store",
      "metadata",
      "service_tier",
      "prediction",
      "verbosity",
      "web_search_options",
      "modalities",
      "image_url.detail",
      "messages.name",
    ]);
    expect(decode({ store: false, metadata: null, n: 1, logprobs: false, logit_bias: {} }).omitted).toEqual(
      [],
    );
  });
});

describe("what no other dialect can carry", () => {
  const message = (fields: object) => ({ messages: [{ role: "user", content: "x" }, fields] });

  it.each([
    ["n", { n: 2 }],
    ["logprobs", { logprobs: true }],
    ["logit_bias", { logit_bias: { "50256": -100 } }],
    ["modalities", { modalities: ["text", "audio"], audio: { voice: "alloy", format: "wav" } }],
    ["tools[0] of type custom", { tools: [{ type: "custom", custom: { name: "patch" } }] }],
    ["messages[1].audio", message({ role: "assistant", audio: { id: "audio_1" } })],
    [
      "messages[1].tool_calls[0] of type custom",
      message({ role: "assistant", tool_calls: [{ id: "a", type: "custom" }] }),
    ],
    ["messages[1].content[0].type", message({ role: "user", content: [{ type: "video_url" }] })],
    [
      "messages[1].content[0].file.file_id",
      message({ role: "user", content: [{ type: "file", file: { file_id: "file-1" } }] }),
    ],
  ])("is refused by its name: %s", (name, fields) => {
    expect(refusal(fields)).toMatch(new RegExp(`^${name.replace(/[[\]]/g, "\\$&")}: is not supported here`));
  });
});

describe("what is malformed", () => {
  const message = (fields: object) => ({ messages: [{ role: "user", content: "x" }, fields] });

  it.each([
    ["model", { model: 7 }],
    ["messages", { messages: "Hello" }],
    ["messages[1].role", message({ role: "robot", content: "x" })],
    ["messages[1].content[0].text", message({ role: "user", content: [{ type: "text", text: 7 }] })],
    ["messages[1].content[0].text", message({ role: "user", content: [{ type: "text" }] })],
    ["messages[1].content[0].image_url", message({ role: "user", content: [{ type: "image_url" }] })],
    [
      "messages[1].content[0].image_url.url",
      message({ role: "user", content: [{ type: "image_url", image_url: "file:///etc/passwd" }] }),
    ],
    ["messages[1].content[0].input_audio", message({ role: "user", content: [{ type: "input_audio" }] })],
    [
      "messages[1].content[0].file.file_data",
      message({ role: "user", content: [{ type: "file", file: {} }] }),
    ],
    [
      "messages[1].content",
      message({ role: "system", content: [{ type: "image_url", image_url: "https://x.example/a" }] }),
    ],
    [
      "messages[1].tool_calls[0].function.arguments",
      message({ role: "assistant", tool_calls: [{ id: "a", function: { name: "f" } }] }),
    ],
    ["messages[1].tool_call_id", message({ role: "tool", tool_call_id: "a", content: "x" })],
    ["messages[1].name", message({ role: "function", name: "f", content: "x" })],
    ["tools[0].function", { tools: [{ type: "function" }] }],
    ["tools[0].function.name", { tools: [{ type: "function", function: { name: "" } }] }],
    ["temperature", { temperature: 2.1 }],
    ["top_p", { top_p: "high" }],
    ["presence_penalty", { presence_penalty: 3 }],
    ["max_completion_tokens", { max_completion_tokens: 0 }],
    ["reasoning_effort", { reasoning_effort: "extreme" }],
    ["response_format.type", { response_format: { type: "yaml" } }],
    ["response_format.json_schema", { response_format: { type: "json_schema" } }],
  ])("is refused by its name: %s", (name, fields) => {
    expect(refusal(fields)).toContain(`'${name}'`);
  });

  it("is refused where it is no JSON", () => {
    const call = { ...callWith({}), body: new TextEncoder().encode("{") };
    expect(() => crossing.client.decodeRequest(call)).toThrow("not valid JSON");
  });

  it("is not repeated in the refusal", () => {
    expect(refusal({ reasoning_effort: "sk-secret" })).not.toContain("sk-secret");
  });
});
