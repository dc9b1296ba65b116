import { describe, expect, it } from "vitest";
import { clientCall } from "../../__fixtures__/crossing.ts";
import type { NeutralRequest, Part } from "../../neutral.ts";
import { callSignatureText } from "./call-signature.ts";
import { decodeRequest } from "./decode-request.ts";

type Body = Readonly<Record<string, unknown>>;

const user = (content: unknown) => ({ role: "user", content });
const assistant = (content: unknown) => ({ role: "assistant", content });

const decode = (body: Body, headers: Readonly<Record<string, string>> = {}): NeutralRequest => {
  const call = clientCall("/v1/messages", {
    model: "gpt-5",
    max_tokens: 100,
    messages: [user("Hi")],
    ...body,
  });
  return decodeRequest({ ...call, headers: new Headers(headers) });
};

const partsOf = (content: unknown, role = "user"): readonly Part[] =>
  decode({ messages: [{ role, content }] }).turns[0]?.parts ?? [];

const CACHED = { cache_control: { type: "ephemeral" } };
const SESSION = "4735901a-fe65-4d1c-bb49-bea94148898a";
const DEVICE = "0123456789abcdef".repeat(4);

const tool = (name: string, rest: Body = {}) => ({
  name,
  description: `Does ${name}.`,
  input_schema: { type: "object", properties: { path: { type: "string" } } },
  ...rest,
});

/** As Claude Code 2.1.329 asks with a custom base URL, in the middle of a task. */
const CLAUDE_CODE = {
  model: "gpt-5.5",
  max_tokens: 128000,
  stream: true,
  thinking: { type: "adaptive", display: "omitted" },
  context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
  output_config: { effort: "medium" },
  metadata: { user_id: JSON.stringify({ device_id: DEVICE, account_uuid: "", session_id: SESSION }) },
  system: [
    { type: "text", text: "x-anthropic-billing-header: cc_version=2.1.329.136; cc_entrypoint=sdk-cli;" },
    { type: "text", text: "You are a Claude agent.", ...CACHED },
    { type: "text", text: "Use the tools.", cache_control: { type: "ephemeral", ttl: "1h" } },
  ],
  tools: [tool("Read"), tool("WebFetch", { defer_loading: true }), tool("ToolSearch", CACHED)],
  messages: [
    user([
      { type: "text", text: "<system-reminder>\nNotes\n</system-reminder>\n" },
      { type: "text", text: "Fix the bug." },
    ]),
    { role: "system", content: "Working directory: /repo", output_config: { effort: "high" } },
    assistant([
      { type: "thinking", thinking: "", signature: "openai-responses#rs_1" },
      { type: "text", text: "I read it." },
      { type: "tool_use", id: "call_1", name: "Read", input: { path: "a.ts" } },
      { type: "tool_use", id: "call_2", name: "ToolSearch", input: { path: "web" } },
    ]),
    user([
      { type: "tool_result", tool_use_id: "call_1", content: "ENOENT", is_error: true },
      {
        type: "tool_result",
        tool_use_id: "call_2",
        content: [{ type: "tool_reference", tool_name: "WebFetch" }],
        ...CACHED,
      },
    ]),
  ],
};

describe("decodeRequest of Claude Code's call", () => {
  const call = { ...clientCall("/v1/messages", CLAUDE_CODE, "beta=true") };
  const request = decodeRequest({
    ...call,
    headers: new Headers({ "anthropic-beta": "claude-code-20250219", "x-claude-code-session-id": SESSION }),
  });

  it("keeps the conversation", () => {
    expect(request.turns).toEqual([
      {
        role: "system",
        parts: [
          { kind: "text", text: "You are a Claude agent.", cache: "5m" },
          { kind: "text", text: "Use the tools.", cache: "1h" },
        ],
      },
      {
        role: "user",
        parts: [
          { kind: "text", text: "<system-reminder>\nNotes\n</system-reminder>\n", cache: null },
          { kind: "text", text: "Fix the bug.", cache: null },
        ],
      },
      { role: "system", parts: [{ kind: "text", text: "Working directory: /repo", cache: null }] },
      {
        role: "assistant",
        parts: [
          {
            kind: "thinking",
            text: "",
            signature: { origin: "openai-responses", data: "rs_1" },
            redacted: false,
          },
          { kind: "text", text: "I read it.", cache: null },
          { kind: "tool_call", id: "call_1", name: "Read", arguments: '{"path":"a.ts"}', signature: null },
          {
            kind: "tool_call",
            id: "call_2",
            name: "ToolSearch",
            arguments: '{"path":"web"}',
            signature: null,
          },
        ],
      },
      {
        role: "user",
        parts: [
          {
            kind: "tool_result",
            callId: "call_1",
            name: "Read",
            content: [{ kind: "text", text: "ENOENT", cache: null }],
            isError: true,
            cache: null,
          },
          {
            kind: "tool_result",
            callId: "call_2",
            name: "ToolSearch",
            content: [{ kind: "text", text: "The tool WebFetch is available.", cache: null }],
            isError: false,
            cache: "5m",
          },
        ],
      },
    ]);
  });

  it("keeps what it asks for besides, and offers every tool", () => {
    expect(request).toMatchObject({
      model: "gpt-5.5",
      stream: true,
      outputTokensMax: 128000,
      reasoning: { effort: "high", budgetTokens: null, visible: false },
      user: DEVICE,
      cacheKey: SESSION,
      toolChoice: null,
    });
    expect(request.tools.map(({ name, cache }) => [name, cache])).toEqual([
      ["Read", null],
      ["WebFetch", null],
      ["ToolSearch", "5m"],
    ]);
  });

  it("names what it leaves out", () => {
    expect(request.omitted).toEqual([
      "anthropic-beta",
      "context_management",
      "x-anthropic-billing-header",
      "defer_loading",
    ]);
  });
});

describe("decodeRequest", () => {
  it("reads text, pictures and documents in each of their forms", () => {
    const data = { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" };
    expect(
      partsOf([
        { type: "text", text: "" },
        { type: "image", source: data },
        { type: "image", source: { type: "url", url: "https://example.com/a.jpg" }, ...CACHED },
        {
          type: "document",
          title: "Terms",
          context: "A contract.",
          source: { type: "url", url: "https://example.com/terms" },
        },
        {
          type: "document",
          title: "Note",
          source: { type: "text", media_type: "text/plain", data: "Buy milk." },
        },
        { type: "document", source: { type: "content", content: [{ type: "text", text: "Inside." }] } },
        {
          type: "search_result",
          title: "Page",
          source: "https://example.com",
          content: [{ type: "text", text: "Found." }],
        },
      ]),
    ).toEqual([
      {
        kind: "media",
        mediaType: "image/png",
        source: { kind: "base64", data: data.data },
        name: null,
        cache: null,
      },
      {
        kind: "media",
        mediaType: null,
        source: { kind: "url", url: "https://example.com/a.jpg" },
        name: null,
        cache: "5m",
      },
      { kind: "text", text: "A contract.", cache: null },
      {
        kind: "media",
        mediaType: "application/pdf",
        source: { kind: "url", url: "https://example.com/terms" },
        name: "Terms",
        cache: null,
      },
      { kind: "text", text: "Note\n\nBuy milk.", cache: null },
      { kind: "text", text: "Inside.", cache: null },
      { kind: "text", text: "Page (https://example.com)\nFound.", cache: null },
    ]);
  });

  it("puts results before what is said beside them, pictures included", () => {
    const parts = partsOf([
      { type: "text", text: "Go on." },
      {
        type: "tool_result",
        tool_use_id: "call:1",
        content: [
          { type: "text", text: "Seen:" },
          { type: "image", source: { type: "base64", media_type: "image/jpeg", data: "/9j/" } },
        ],
      },
      { type: "tool_result", tool_use_id: "call_2" },
    ]);
    expect(parts.map((part) => part.kind)).toEqual(["tool_result", "tool_result", "text"]);
    expect(parts[0]).toMatchObject({ callId: expect.stringMatching(/^call_1_[0-9a-f]{8}$/) as string });
    expect(parts[0]).toMatchObject({
      content: [{ kind: "text" }, { kind: "media", mediaType: "image/jpeg" }],
    });
    expect(parts[1]).toMatchObject({ callId: "call_2", content: [] });
  });

  it("reads thinking with signatures of its own and of others, hidden thinking, and signed calls", () => {
    const signed = callSignatureText("call_1", { origin: "gemini", data: "sig" });
    expect(
      partsOf(
        [
          { type: "thinking", thinking: "Hm.", signature: "c2ln" },
          { type: "thinking", thinking: "Unsigned.", signature: "" },
          { type: "redacted_thinking", data: "gemini#hidden" },
          { type: "thinking", thinking: "", signature: signed },
          { type: "tool_use", id: "call_1", name: "look", input: {} },
        ],
        "assistant",
      ),
    ).toEqual([
      { kind: "thinking", text: "Hm.", signature: { origin: "anthropic", data: "c2ln" }, redacted: false },
      { kind: "thinking", text: "Unsigned.", signature: null, redacted: false },
      { kind: "thinking", text: "", signature: { origin: "gemini", data: "hidden" }, redacted: true },
      {
        kind: "tool_call",
        id: "call_1",
        name: "look",
        arguments: "{}",
        signature: { origin: "gemini", data: "sig" },
      },
    ]);
  });

  it("forgets a system message that was meant for one turn, when a person spoke since", () => {
    const once = { role: "system", content: "Now only.", clear_at: "next_user_message" };
    const roles = (messages: unknown) => decode({ messages }).turns.map(({ role }) => role);
    expect(roles([user("Hi"), once])).toEqual(["user", "system"]);
    expect(roles([user("Hi"), once, assistant("Yes"), user("And?")])).toEqual(["user", "assistant", "user"]);
  });

  it("offers the tools that the conversation ends with", () => {
    const changes = {
      role: "system",
      content: [
        { type: "tool_addition", tool: { type: "tool_definition", definition: tool("late") } },
        { type: "tool_removal", tool: { type: "tool_reference", name: "early" } },
        { type: "tool_addition", tool: { type: "tool_reference", name: "other" } },
      ],
    };
    const request = decode({ tools: [tool("early"), tool("other")], messages: [user("Hi"), changes] });
    expect(request.tools.map(({ name }) => name)).toEqual(["other", "late"]);
  });

  it.each<[unknown, NeutralRequest["reasoning"]]>([
    [
      { thinking: { type: "enabled", budget_tokens: 4096 } },
      { effort: null, budgetTokens: 4096, visible: true },
    ],
    [{ thinking: { type: "adaptive" } }, { effort: null, budgetTokens: null, visible: true }],
    [{ thinking: { type: "disabled" } }, { effort: "none", budgetTokens: null, visible: false }],
    [{ thinking: { type: "between_tools" } }, { effort: "none", budgetTokens: null, visible: false }],
    [{ output_config: { effort: "xhigh" } }, { effort: "xhigh", budgetTokens: null, visible: false }],
    [{ output_config: { effort: "beyond" } }, null],
    [{}, null],
  ])("takes %j for this much reasoning: %j", (body, reasoning) => {
    expect(decode(body as Body).reasoning).toEqual(reasoning);
  });

  it.each<[unknown, NeutralRequest["toolChoice"], boolean | null]>([
    [{ type: "auto" }, { kind: "auto" }, null],
    [{ type: "none" }, { kind: "none" }, null],
    [{ type: "any", disable_parallel_tool_use: true }, { kind: "required" }, false],
    [{ type: "tool", name: "look" }, { kind: "named", name: "look" }, null],
  ])("reads the tool choice %j", (tool_choice, toolChoice, parallelToolCalls) => {
    const request = decode({ tools: [tool("look", { strict: true })], tool_choice });
    expect(request).toMatchObject({ toolChoice, parallelToolCalls });
    expect(request.tools[0]?.strict).toBe(true);
  });

  it.each([
    { output_config: { format: { type: "json_schema", schema: { type: "object", title: "A b" } } } },
    { output_format: { type: "json_schema", schema: { type: "object", title: "A b" } } },
  ])("reads the format of %j", (body) => {
    expect(decode(body).format).toEqual({
      kind: "schema",
      name: "A_b",
      schema: { type: "object", title: "A b" },
      strict: true,
    });
  });

  it("reads sampling, limits, stops and an old user id", () => {
    expect(
      decode({
        max_tokens: 7,
        temperature: 0.3,
        top_p: 0.9,
        top_k: 5,
        stop_sequences: ["a"],
        metadata: { user_id: `user_${DEVICE}_account__session_${SESSION}` },
      }),
    ).toMatchObject({
      outputTokensMax: 7,
      temperature: 0.3,
      topP: 0.9,
      topK: 5,
      stop: ["a"],
      user: DEVICE,
      cacheKey: SESSION,
    });
  });

  it("leaves out hosted tools that nobody is forced to call, and their traces", () => {
    const request = decode({
      tools: [{ type: "web_search_20250305", name: "web_search" }, tool("look")],
      tool_choice: { type: "any" },
      service_tier: "auto",
      messages: [
        user("Hi"),
        assistant([
          { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "x" } },
          { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] },
          { type: "text", text: "Found." },
        ]),
        user("And?"),
      ],
    });
    expect(request.tools.map(({ name }) => name)).toEqual(["look"]);
    expect(request.toolChoice).toEqual({ kind: "required" });
    expect(request.omitted).toEqual([
      "service_tier",
      "server_tool_use",
      "web_search_tool_result",
      "web_search_20250305",
    ]);
  });

  it.each<[string, Body, string]>([
    [
      "a hosted tool that must be called",
      {
        tools: [{ type: "web_search_20250305", name: "web_search" }],
        tool_choice: { type: "tool", name: "web_search" },
      },
      "tool_choice: web_search",
    ],
    [
      "any tool where all are hosted",
      { tools: [{ type: "web_search_20250305", name: "web_search" }], tool_choice: { type: "any" } },
      "tool_choice: web_search_20250305",
    ],
    [
      "a tool of the client's that has no schema",
      { tools: [{ type: "bash_20250124", name: "bash" }] },
      "tools: bash_20250124",
    ],
    [
      "servers of tools",
      { mcp_servers: [{ type: "url", url: "https://example.com", name: "x" }] },
      "mcp_servers",
    ],
    ["a container", { container: "container_1" }, "container"],
    ["a prompt that is only to be cached", { max_tokens: 0 }, "max_tokens: 0"],
    [
      "a file that Anthropic stores",
      { messages: [user([{ type: "image", source: { type: "file", file_id: "file_1" } }])] },
      "messages.0.content.0.source.file_id",
    ],
    [
      "a document within a document",
      {
        messages: [
          user([
            {
              type: "document",
              source: {
                type: "content",
                content: [{ type: "document", source: { type: "text", data: "x" } }],
              },
            },
          ]),
        ],
      },
      "messages.0.content.0.source.content.0: a block of type document",
    ],
    [
      "a picture made of blocks",
      { messages: [user([{ type: "image", source: { type: "content", content: "x" } }])] },
      "messages.0.content.0.source.content",
    ],
    [
      "a block that it does not know",
      { messages: [user([{ type: "container_upload", file_id: "f" }])] },
      "messages.0.content.0: a block of type container_upload",
    ],
    [
      "a block whose type is a property of every object",
      { messages: [user([{ type: "constructor" }])] },
      "messages.0.content.0: a block of type constructor",
    ],
  ])("refuses %s", (_, body, what) => {
    expect(() => decode(body)).toThrow(`${what}: is not supported here`);
  });

  it.each<[Body, string]>([
    [{ messages: "Hi" }, "messages: "],
    [{ messages: [{ role: "tool", content: "x" }] }, "messages.0.role: "],
    [{ messages: [user([{ type: "text" }])] }, "messages.0.content.0.text: "],
    [
      { messages: [user([{ type: "image", source: { type: "base64", data: "x" } }])] },
      "messages.0.content.0.source.media_type: ",
    ],
    [{ temperature: "hot" }, "temperature: "],
    [{ thinking: { type: "deep" } }, "thinking.type: "],
    [{ tools: [{ name: "x", input_schema: [] }] }, "tools.0.input_schema: "],
  ])("names what is malformed in %j", (body, message) => {
    expect(() => decode(body)).toThrow(message);
  });

  it("refuses what is no JSON", () => {
    const call = { ...clientCall("/v1/messages", {}), body: new TextEncoder().encode("{") };
    expect(() => decodeRequest(call)).toThrow("not valid JSON");
  });
});
