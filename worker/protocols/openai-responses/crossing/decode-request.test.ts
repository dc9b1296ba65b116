import { describe, expect, it } from "vitest";
import { RelayError } from "../../../domain/errors.ts";
import { clientCall } from "../../__fixtures__/crossing.ts";
import { CODEX_REQUEST } from "./__fixtures__/codex-request.ts";
import { decodeRequest } from "./decode-request.ts";

type Json = Readonly<Record<string, unknown>>;

const decode = (body: Json, path = "/v1/responses") => decodeRequest(clientCall(path, body));
const asked = (more: Json) => decode({ model: "some-model", input: "Hi", ...more });
const turnsOf = (...input: readonly unknown[]) => decode({ model: "some-model", input }).turns;

const text = (value: string) => ({ kind: "text", text: value, cache: null });
const picture = (source: Json, mediaType: string | null) => ({
  kind: "media",
  mediaType,
  source,
  name: null,
  cache: null,
});
const call = (id: string, name: string, json: string) => ({
  kind: "tool_call",
  id,
  name,
  arguments: json,
  signature: null,
});
const result = (callId: string, name: string, ...content: readonly unknown[]) => ({
  kind: "tool_result",
  callId,
  name,
  content,
  isError: false,
  cache: null,
});
const user = (...content: readonly unknown[]) => ({ type: "message", role: "user", content });
const PNG = "data:image/png;base64,iVBORw0KGgo=";
const TOOL = {
  type: "function",
  name: "get_weather",
  description: "Weather.",
  parameters: { type: "object" },
};

function refusal(decodeIt: () => unknown): string {
  try {
    decodeIt();
  } catch (error) {
    if (error instanceof RelayError && error.code === "invalid_request") return error.message;
    throw error;
  }
  throw new Error("was not refused");
}

describe("decodeRequest, of Codex", () => {
  const request = decode(CODEX_REQUEST);

  it("reads the whole conversation", () => {
    expect(request.turns).toEqual([
      {
        role: "system",
        parts: [
          text("You are a coding agent running in the Codex CLI."),
          text("Approvals are never asked for."),
        ],
      },
      { role: "user", parts: [text("<environment_context>/repo</environment_context>")] },
      { role: "user", parts: [text("Rename the flag.")] },
      {
        role: "assistant",
        parts: [
          {
            kind: "thinking",
            text: "I should look first.",
            signature: { origin: "anthropic", data: "EqQBCkgIAhABGAI=" },
            redacted: false,
          },
          text("Looking."),
          call("toolu_01", "exec_command", '{"cmd":"rg flag"}'),
          call("toolu_02", "multi_agent_v1__spawn_agent", '{"prompt":"Read the docs."}'),
        ],
      },
      {
        role: "user",
        parts: [
          result("toolu_01", "exec_command", text("src/flags.ts:3: flag")),
          result(
            "toolu_02",
            "multi_agent_v1__spawn_agent",
            text("A picture:"),
            picture({ kind: "base64", data: "iVBORw0KGgo=" }, "image/png"),
          ),
        ],
      },
      {
        role: "assistant",
        parts: [call("toolu_03", "apply_patch", '{"input":"*** Begin Patch\\n*** End Patch"}')],
      },
      { role: "user", parts: [result("toolu_03", "apply_patch", text("Done."))] },
      { role: "user", parts: [text("Go on.")] },
    ]);
  });

  it("reads its tools as functions, and leaves out those that OpenAI runs", () => {
    expect(request.tools.map(({ name }) => name)).toEqual([
      "exec_command",
      "write_stdin",
      "apply_patch",
      "multi_agent_v1__spawn_agent",
      "multi_agent_v1__close_agent",
    ]);
    expect(request.omitted).toEqual([
      "text.verbosity",
      "tools: web_search",
      "tools: local_shell",
      "tools: image_generation",
      "input: web_search_call",
    ]);
  });

  it("reads its other wishes", () => {
    expect(request).toMatchObject({
      model: "claude-opus-5-5",
      stream: true,
      toolChoice: { kind: "auto" },
      parallelToolCalls: true,
      reasoning: { effort: "high", budgetTokens: null, visible: true },
      cacheKey: "019b2f3e-7f0a-7c11-9a55-0c2f5c1d2e3f",
      format: null,
    });
  });
});

describe("decodeRequest, of a conversation", () => {
  it("takes a text for a person's message, and instructions for the system's", () => {
    expect(asked({ instructions: "Be brief." }).turns).toEqual([
      { role: "system", parts: [text("Be brief.")] },
      { role: "user", parts: [text("Hi")] },
    ]);
  });

  it("reads messages without a type, and of every role", () => {
    const roles = ["system", "developer", "user", "assistant"];
    expect(turnsOf(...roles.map((role) => ({ role, content: "Hi" }))).map(({ role }) => role)).toEqual([
      "system",
      "system",
      "user",
      "assistant",
    ]);
  });

  it("reads pictures by their bytes and by their address", () => {
    const image = (url: string) => ({ type: "input_image", image_url: url, detail: "high" });
    expect(turnsOf(user(image(PNG), image("https://example.com/a.png")))[0]?.parts).toEqual([
      picture({ kind: "base64", data: "iVBORw0KGgo=" }, "image/png"),
      picture({ kind: "url", url: "https://example.com/a.png" }, null),
    ]);
  });

  it("reads documents by their bytes and by their address, and recordings", () => {
    const file = { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" };
    const pdf = { ...picture({ kind: "base64", data: "JVBERi0=" }, "application/pdf"), name: "a.pdf" };
    const [turn] = turnsOf(
      user(
        file,
        { ...file, file_data: "JVBERi0=" },
        { type: "input_file", file_url: "https://example.com/a" },
        { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } },
      ),
    );
    expect(turn?.parts).toEqual([
      pdf,
      pdf,
      picture({ kind: "url", url: "https://example.com/a" }, "application/pdf"),
      picture({ kind: "base64", data: "UklGRg==" }, "audio/wav"),
    ]);
  });

  it("tells hidden thinking from thinking whose text was left out", () => {
    const reasoning = (...summary: readonly string[]) => ({
      type: "reasoning",
      summary: summary.map((part) => ({ type: "summary_text", text: part })),
      encrypted_content: "gemini#sig",
    });
    const signature = { origin: "gemini", data: "sig" };
    expect(turnsOf(reasoning(), reasoning(""), reasoning("One.", "Two."))[0]?.parts).toEqual([
      { kind: "thinking", text: "", signature, redacted: true },
      { kind: "thinking", text: "", signature, redacted: false },
      { kind: "thinking", text: "One.\n\nTwo.", signature, redacted: false },
    ]);
  });

  it("takes encrypted reasoning without a name for OpenAI's own, and raw thinking for its text", () => {
    const raw = { type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: "Hm." }] };
    expect(turnsOf({ ...raw, encrypted_content: "gAAAAA" })[0]?.parts).toEqual([
      {
        kind: "thinking",
        text: "Hm.",
        signature: { origin: "openai-responses", data: "gAAAAA" },
        redacted: false,
      },
    ]);
    expect(
      turnsOf(user({ type: "input_text", text: "Hi" }), { type: "reasoning", summary: [] }),
    ).toHaveLength(1);
  });

  it("gives a call its signature back, wherever it comes", () => {
    const signed = { type: "reasoning", summary: [], encrypted_content: "call:call_1#gemini#sig" };
    const item = { type: "function_call", call_id: "call_1", name: "f", arguments: "{}" };
    const signature = { origin: "gemini", data: "sig" };
    const expected = [{ role: "assistant", parts: [{ ...call("call_1", "f", "{}"), signature }] }];
    expect(turnsOf(signed, item)).toEqual(expected);
    expect(turnsOf(item, signed)).toEqual(expected);
  });

  it.each([
    ["", "{}"],
    ['{"a":1}', '{"a":1}'],
    ["{broken", '{"arguments":"{broken"}'],
    ["[1]", '{"arguments":"[1]"}'],
  ])("reads the arguments %j as the object %j", (json, expected) => {
    const [turn] = turnsOf({ type: "function_call", call_id: "call_1", name: "f", arguments: json });
    expect(turn?.parts).toEqual([call("call_1", "f", expected)]);
  });

  it("makes ids safe that other dialects refuse, of call and result alike", () => {
    const [spoken, answered] = turnsOf(
      { type: "function_call", call_id: "call.1", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "call.1", output: "" },
    );
    const [made] = spoken?.parts ?? [];
    if (made?.kind !== "tool_call") throw new Error("no call");
    expect(made.id).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(answered?.parts).toEqual([result(made.id, "f", text(""))]);
  });

  it("begins a new turn for a result that follows a person's message", () => {
    const item = { type: "function_call", call_id: "call_1", name: "f", arguments: "{}" };
    const output = { type: "function_call_output", call_id: "call_1", output: "1" };
    expect(
      turnsOf(item, user({ type: "input_text", text: "Well?" }), output).map(({ role }) => role),
    ).toEqual(["assistant", "user", "user"]);
  });

  it("reads calls of OpenAI's own tools that the client ran, with what came of them", () => {
    const action = { type: "exec", command: ["ls"], env: {} };
    const printed = [{ stdout: "a", stderr: "", outcome: { type: "exit", exit_code: 0 } }];
    expect(
      turnsOf(
        { type: "local_shell_call", id: "lsh_1", call_id: "call_1", status: "completed", action },
        { type: "local_shell_call_output", id: "call_1", output: "a" },
        { type: "shell_call", call_id: "call_2", action: { commands: ["ls"] } },
        { type: "shell_call_output", call_id: "call_2", output: printed },
        { type: "apply_patch_call", call_id: "call_3", operation: { type: "delete_file", path: "a" } },
        { type: "apply_patch_call_output", call_id: "call_3", status: "completed" },
      ).flatMap(({ parts }) => parts),
    ).toEqual([
      call("call_1", "local_shell", JSON.stringify(action)),
      result("call_1", "local_shell", text("a")),
      call("call_2", "shell", '{"commands":["ls"]}'),
      result("call_2", "shell", text(JSON.stringify(printed))),
      call("call_3", "apply_patch", '{"type":"delete_file","path":"a"}'),
      result("call_3", "apply_patch"),
    ]);
  });

  it("reads a search for tools that the client ran, and offers what it found", () => {
    const search = { type: "tool_search", execution: "client", description: "Finds.", parameters: {} };
    const request = decode({
      model: "some-model",
      tools: [search],
      input: [
        { type: "tool_search_call", call_id: "call_1", execution: "client", arguments: { query: "mail" } },
        { type: "tool_search_output", call_id: "call_1", execution: "client", tools: [TOOL] },
      ],
    });
    expect(request.tools.map(({ name }) => name)).toEqual(["tool_search", "get_weather"]);
    expect(request.turns).toEqual([
      { role: "assistant", parts: [call("call_1", "tool_search", '{"query":"mail"}')] },
      { role: "user", parts: [result("call_1", "tool_search", text(JSON.stringify([TOOL])))] },
    ]);
  });

  it("offers tools that the conversation brings", () => {
    const brought = { type: "additional_tools", role: "developer", tools: [TOOL] };
    const request = decode({ model: "some-model", input: [brought, { role: "user", content: "Hi" }] });
    expect(request.tools.map(({ name }) => name)).toEqual(["get_weather"]);
    expect(request.turns).toHaveLength(1);
  });

  it("shows the model its own pictures, and a refusal as what it said", () => {
    expect(
      turnsOf(
        {
          type: "image_generation_call",
          id: "ig_1",
          status: "completed",
          result: "AAAA",
          output_format: "webp",
        },
        { type: "message", role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
      ),
    ).toEqual([
      { role: "assistant", parts: [picture({ kind: "base64", data: "AAAA" }, "image/webp"), text("No.")] },
    ]);
  });
});

describe("decodeRequest, of wishes", () => {
  it("reads sampling and limits", () => {
    expect(asked({ temperature: 0.5, top_p: 0.9, max_output_tokens: 99 })).toMatchObject({
      temperature: 0.5,
      topP: 0.9,
      outputTokensMax: 99,
    });
  });

  it.each([
    [{ effort: "low" }, { effort: "low", budgetTokens: null, visible: false }],
    [
      { effort: null, summary: "detailed" },
      { effort: null, budgetTokens: null, visible: true },
    ],
    [{ generate_summary: "auto" }, { effort: null, budgetTokens: null, visible: true }],
    [{ effort: null, summary: null }, null],
    [{}, null],
    [null, null],
  ])("reads reasoning %j", (reasoning, expected) => {
    expect(asked({ reasoning }).reasoning).toEqual(expected);
  });

  it("leaves out an effort that nobody else knows", () => {
    expect(asked({ reasoning: { effort: "ultra" } })).toMatchObject({
      reasoning: null,
      omitted: ["reasoning.effort"],
    });
  });

  it.each([
    [{ type: "text" }, null],
    [{ type: "json_object" }, { kind: "json" }],
    [
      { type: "json_schema", name: "answer", schema: { type: "object" }, strict: true },
      { kind: "schema", name: "answer", schema: { type: "object" }, strict: true },
    ],
  ])("reads the format %j", (format, expected) => {
    expect(asked({ text: { format } }).format).toEqual(expected);
  });

  const TOOLS = [
    TOOL,
    { type: "custom", name: "patch" },
    { type: "namespace", name: "mail", tools: [{ type: "function", name: "send" }] },
    { type: "web_search" },
  ];

  it.each([
    ["auto", { kind: "auto" }],
    ["none", { kind: "none" }],
    ["required", { kind: "required" }],
    [
      { type: "function", name: "get_weather" },
      { kind: "named", name: "get_weather" },
    ],
    [
      { type: "custom", name: "patch" },
      { kind: "named", name: "patch" },
    ],
    [
      { type: "function", namespace: "mail", name: "send" },
      { kind: "named", name: "mail__send" },
    ],
  ])("reads the tool choice %j", (choice, expected) => {
    expect(asked({ tools: TOOLS, tool_choice: choice }).toolChoice).toEqual(expected);
  });

  it("offers only the tools that are allowed", () => {
    const tools = [
      { type: "function", name: "get_weather" },
      { type: "custom", name: "patch" },
      { type: "web_search" },
    ];
    const request = asked({ tools: TOOLS, tool_choice: { type: "allowed_tools", mode: "required", tools } });
    expect(request.tools.map(({ name }) => name)).toEqual(["get_weather", "patch"]);
    expect(request.toolChoice).toEqual({ kind: "required" });
  });

  it("does not choose between no tools", () => {
    expect(
      asked({ tools: [{ type: "web_search" }], tool_choice: "auto", parallel_tool_calls: true }),
    ).toMatchObject({
      toolChoice: null,
      parallelToolCalls: null,
      omitted: ["tools: web_search"],
    });
  });

  it("names what it leaves out", () => {
    const request = asked({
      store: true,
      metadata: { a: "b" },
      service_tier: "priority",
      truncation: "auto",
      include: ["reasoning.encrypted_content", "message.output_text.logprobs"],
      top_logprobs: 3,
      max_tool_calls: 4,
      prompt_cache_retention: "24h",
      context_management: [{ type: "compaction" }],
      user: "u",
    });
    expect(request.omitted).toEqual([
      "store",
      "metadata",
      "service_tier",
      "truncation",
      "top_logprobs",
      "max_tool_calls",
      "prompt_cache_retention",
      "context_management",
      "include: message.output_text.logprobs",
    ]);
    expect(request.user).toBe("u");
    expect(asked({ user: "u", safety_identifier: "s" }).user).toBe("s");
    expect(
      asked({ service_tier: "auto", truncation: "disabled", metadata: {}, store: false }).omitted,
    ).toEqual([]);
  });
});

describe("decodeRequest, of what it cannot carry", () => {
  it.each([
    ["previous_response_id", { previous_response_id: "resp_1" }],
    ["conversation", { conversation: "conv_1" }],
    ["prompt", { prompt: { id: "pmpt_1" } }],
    ["background", { background: true }],
    ["tool_choice: web_search", { tools: [{ type: "web_search" }], tool_choice: { type: "web_search" } }],
    ["tool_choice", { tools: [{ type: "web_search" }], tool_choice: "required" }],
    ["input[0]: item_reference", { input: [{ type: "item_reference", id: "msg_1" }] }],
    ["input[0]: compaction", { input: [{ type: "compaction", encrypted_content: "x" }] }],
    ["input[0]: computer_call", { input: [{ type: "computer_call" }] }],
    ["input[0].content[0].file_id", { input: [user({ type: "input_image", file_id: "file_1" })] }],
    ["input[0].content[0]: encrypted_content", { input: [user({ type: "encrypted_content" })] }],
    [
      "input[0]: media in a developer message",
      { input: [{ role: "developer", content: [{ type: "input_image", image_url: PNG }] }] },
    ],
  ])("refuses %s", (what, more) => {
    expect(refusal(() => asked(more))).toMatch(`${what}: is not supported here`);
  });

  it("refuses a compaction", () => {
    expect(refusal(() => decode({ model: "m", input: "Hi" }, "/v1/responses/compact"))).toMatch(/^compact: /);
  });

  it.each([
    ["'input'", { input: null }],
    ["'input'", { input: [] }],
    ["'input[0].type'", { input: [{}] }],
    ["'input[0]'", { input: [7] }],
    ["'input[1].call_id'", { input: [{ role: "user", content: "Hi" }, { type: "function_call_output" }] }],
    ["'input[0].arguments'", { input: [{ type: "function_call", call_id: "c", name: "f" }] }],
    ["'input[0].role'", { input: [{ type: "message", role: "tool", content: "" }] }],
    ["'input[0].content[0].text'", { input: [user({ type: "input_text" })] }],
    ["'input[0].content[0].image_url'", { input: [user({ type: "input_image" })] }],
    ["'input[0].content[0].image_url'", { input: [user({ type: "input_image", image_url: "data:x" })] }],
    ["'tools[0].name'", { tools: [{ type: "function" }] }],
    ["'temperature'", { temperature: 3 }],
    ["'max_output_tokens'", { max_output_tokens: 0 }],
    ["'text.format", { text: { format: { type: "json_schema" } } }],
    ["'stream'", { stream: "yes" }],
  ])("names the field that is wrong: %s", (field, more) => {
    expect(refusal(() => asked(more))).toContain(field);
  });

  it("refuses what is no JSON object", () => {
    const call = (body: string) => ({
      ...clientCall("/v1/responses", {}),
      body: new TextEncoder().encode(body),
    });
    expect(refusal(() => decodeRequest(call("{")))).toBe("The request body is not valid JSON.");
    expect(refusal(() => decodeRequest(call("[]")))).toContain("Invalid value");
  });
});
