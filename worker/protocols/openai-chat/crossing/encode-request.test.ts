import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { acrossRequest } from "../../__fixtures__/crossing.ts";
import { essenceOf, requests } from "../../__fixtures__/neutral-requests.ts";
import { BARE_REQUEST, type MediaPart, type NeutralRequest, type Part, type Turn } from "../../neutral.ts";
import { crossing } from "./index.ts";

const encode = (change: Partial<NeutralRequest>) =>
  crossing.upstream.encodeRequest({ ...BARE_REQUEST, model: "m", turns: [], ...change });
const bodyOf = (change: Partial<NeutralRequest>) => encode(change).body;
const messagesOf = (...turns: readonly Turn[]) => bodyOf({ turns })["messages"];

const text = (value: string): Part => ({ kind: "text", text: value, cache: null });
const said = (role: Turn["role"], ...parts: readonly Part[]): Turn => ({ role, parts });
const call = (id: string, signature: Extract<Part, { kind: "tool_call" }>["signature"] = null): Part => ({
  kind: "tool_call",
  id,
  name: "look",
  arguments: '{"at":1}',
  signature,
});
const media = (mediaType: string | null, data: string, name: string | null = null): MediaPart => ({
  kind: "media",
  mediaType,
  source: { kind: "base64", data },
  name,
  cache: null,
});
const at = (mediaType: string | null, url: string): MediaPart => ({
  ...media(mediaType, ""),
  source: { kind: "url", url },
});
const result = (callId: string, ...content: readonly Part[]): Part => ({
  kind: "tool_result",
  callId,
  name: "look",
  content: content.filter((part) => part.kind === "text" || part.kind === "media"),
  isError: true,
  cache: null,
});
const TOOL = {
  name: "look",
  description: "Looks.",
  parameters: { type: "object", properties: { at: { type: "integer" } } },
  strict: null,
  cache: null,
} as const;
const PNG = media("image/png", "iVBO");
const PNG_PART = { type: "image_url", image_url: { url: "data:image/png;base64,iVBO" } };

describe("messages", () => {
  it("are the turns, with results behind their calls and what people say behind those", () => {
    expect(
      messagesOf(
        said("system", text("Be brief.")),
        said("user", text("Look twice.")),
        said("assistant", text("Yes."), call("a"), call("b")),
        said("user", result("a", text("One."), text("Two.")), text("Well?")),
        said("user", result("b", text("No such place."))),
        said("system", text("Later.")),
        said("assistant", text("Nothing "), text("there.")),
      ),
    ).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Look twice." },
      {
        role: "assistant",
        content: "Yes.",
        tool_calls: [
          { id: "a", type: "function", function: { name: "look", arguments: '{"at":1}' } },
          { id: "b", type: "function", function: { name: "look", arguments: '{"at":1}' } },
        ],
      },
      { role: "tool", tool_call_id: "a", content: "One.\nTwo." },
      { role: "tool", tool_call_id: "b", content: "No such place." },
      { role: "user", content: "Well?" },
      { role: "system", content: "Later." },
      {
        role: "assistant",
        content: [
          { type: "text", text: "Nothing " },
          { type: "text", text: "there." },
        ],
      },
    ]);
  });

  it("keep calls of neighbouring turns in one message, and their results before late instructions", () => {
    const messages = messagesOf(
      said("assistant", text("Looking."), call("a")),
      said("assistant", call("b")),
      said("system", text("Hurry.")),
      said("user", result("a", text("1")), result("b", text("2"))),
    );
    expect(messages).toMatchObject([
      { role: "assistant", content: "Looking.", tool_calls: [{ id: "a" }, { id: "b" }] },
      { role: "tool", tool_call_id: "a" },
      { role: "tool", tool_call_id: "b" },
      { role: "system", content: "Hurry." },
    ]);
  });

  it("show what lies in a result behind all results", () => {
    expect(
      messagesOf(
        said("assistant", call("a"), call("b")),
        said("user", result("a", PNG), result("b", text("Done."))),
        said("user", text("And?")),
      ),
    ).toEqual([
      expect.objectContaining({ role: "assistant", content: null }),
      { role: "tool", tool_call_id: "a", content: "See the attachment in the next message." },
      { role: "tool", tool_call_id: "b", content: "Done." },
      { role: "user", content: [{ type: "text", text: "Attachment to the result of call a:" }, PNG_PART] },
      { role: "user", content: "And?" },
    ]);
  });

  it("show a model its own pictures when a person speaks next", () => {
    expect(messagesOf(said("assistant", text("Here."), PNG), said("user", text("Bluer.")))).toEqual([
      { role: "assistant", content: "Here." },
      { role: "user", content: [{ type: "text", text: "Pictures of your last answer:" }, PNG_PART] },
      { role: "user", content: "Bluer." },
    ]);
    expect(messagesOf(said("assistant", PNG))).toHaveLength(1);
  });

  it("hold pictures, documents, recordings and texts", () => {
    const content = [
      PNG,
      at(null, "https://files.example/a.png"),
      media("application/pdf", "JVBERi0=", "a.pdf"),
      media("application/pdf", "JVBERi0="),
      media("audio/mpeg", "SUQz"),
      media("text/plain", "R3LDvMOfZQ==", "a.txt"),
    ];
    expect(messagesOf(said("user", ...content))).toEqual([
      {
        role: "user",
        content: [
          PNG_PART,
          { type: "image_url", image_url: { url: "https://files.example/a.png" } },
          { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" } },
          {
            type: "file",
            file: { filename: "document.pdf", file_data: "data:application/pdf;base64,JVBERi0=" },
          },
          { type: "input_audio", input_audio: { data: "SUQz", format: "mp3" } },
          { type: "text", text: "a.txt:\nGrüße" },
        ],
      },
    ]);
  });

  it.each([
    ["video/mp4", media("video/mp4", "AAAA")],
    ["audio/flac", media("audio/flac", "AAAA")],
    ["application/pdf by its address", at("application/pdf", "https://files.example/a.pdf")],
    ["a file of unknown type", media(null, "AAAA")],
  ])("refuse what the dialect has no part for: %s", (name, part) => {
    expect(() => messagesOf(said("user", part))).toThrow(`${name}: is not supported here`);
  });

  it("return reasoning and signatures to their own dialect only", () => {
    const think = (origin: "openai-chat" | "anthropic", data: string, value = "Hm."): Part => ({
      kind: "thinking",
      text: value,
      signature: { origin, data },
      redacted: false,
    });
    const detail = '{"type":"reasoning.text","signature":"sig","format":"anthropic-claude-v1"}';
    const hidden = '{"type":"reasoning.encrypted","data":"gAAA"}';
    const google = '{"google":{"thought_signature":"CpcB"}}';
    const answers = [
      said(
        "assistant",
        think("anthropic", "ErUB"),
        { kind: "thinking", text: "Hm.", signature: null, redacted: false },
        text("x"),
      ),
      said(
        "assistant",
        think("openai-chat", "reasoning_content"),
        call("a", { origin: "openai-chat", data: google }),
      ),
      said("assistant", think("openai-chat", detail), think("openai-chat", hidden, ""), text("x")),
      said("assistant", think("openai-chat", "{broken"), call("b", { origin: "gemini", data: "CpcB" })),
      said("assistant", think("anthropic", "ErUB")),
    ];
    const messages = answers.flatMap((answer) => messagesOf(answer));
    expect(messages).toEqual([
      { role: "assistant", content: "x" },
      {
        role: "assistant",
        content: null,
        reasoning_content: "Hm.",
        tool_calls: [expect.objectContaining({ extra_content: { google: { thought_signature: "CpcB" } } })],
      },
      {
        role: "assistant",
        content: "x",
        reasoning_details: [
          { type: "reasoning.text", signature: "sig", format: "anthropic-claude-v1", text: "Hm." },
          { type: "reasoning.encrypted", data: "gAAA" },
        ],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "b", type: "function", function: { name: "look", arguments: '{"at":1}' } }],
      },
    ]);
  });
});

describe("tools", () => {
  it("are functions, with `properties` in every schema of an object", () => {
    expect(
      bodyOf({
        tools: [
          TOOL,
          { ...TOOL, name: "now", description: null, parameters: { type: "object" }, strict: true },
        ],
      })["tools"],
    ).toEqual([
      { type: "function", function: { name: "look", description: "Looks.", parameters: TOOL.parameters } },
      {
        type: "function",
        function: { name: "now", parameters: { type: "object", properties: {} }, strict: true },
      },
    ]);
  });

  it.each([
    [{ kind: "auto" } as const, "auto"],
    [{ kind: "none" } as const, "none"],
    [{ kind: "required" } as const, "required"],
    [{ kind: "named", name: "look" } as const, { type: "function", function: { name: "look" } }],
  ])("are chosen: %j", (toolChoice, tool_choice) => {
    expect(bodyOf({ tools: [TOOL], toolChoice, parallelToolCalls: false })).toMatchObject({
      tool_choice,
      parallel_tool_calls: false,
    });
  });

  it("are not spoken of where there are none", () => {
    const body = bodyOf({ toolChoice: { kind: "auto" }, parallelToolCalls: true });
    expect(Object.keys(body)).toEqual(["model", "messages"]);
  });

  it("have one short name in the list, the history and the choice", () => {
    const name = "x".repeat(80);
    const turns = [said("assistant", { ...call("a"), name } as Part)];
    const body = bodyOf({ tools: [{ ...TOOL, name }], turns, toolChoice: { kind: "named", name } });
    const names = [...JSON.stringify(body).matchAll(/"name":"(x[^"]+)"/g)].map(([, short]) => short);
    expect(names).toHaveLength(3);
    expect(new Set(names).size).toBe(1);
    expect(names[0]).toHaveLength(64);
  });
});

describe("options", () => {
  it("are written where the client has any", () => {
    const { path, query, body } = encode({
      stream: true,
      outputTokensMax: 100,
      temperature: 0,
      topP: 0.5,
      seed: 1,
      presencePenalty: 1,
      frequencyPenalty: -1,
      stop: ["END"],
      user: "u1",
      cacheKey: "k1",
    });
    expect([path, query]).toEqual(["/v1/chat/completions", ""]);
    expect(body).toEqual({
      model: "m",
      messages: [],
      stream: true,
      stream_options: { include_usage: true },
      max_completion_tokens: 100,
      temperature: 0,
      top_p: 0.5,
      seed: 1,
      presence_penalty: 1,
      frequency_penalty: -1,
      stop: ["END"],
      user: "u1",
      prompt_cache_key: "k1",
    });
  });

  it("shorten ids that are too long, each to one of its own", () => {
    const ids = ["a", "b"].map((end) =>
      bodyOf({ user: "u".repeat(90) + end, cacheKey: "k".repeat(90) + end }),
    );
    for (const { user, prompt_cache_key } of ids) {
      expect(user).toHaveLength(64);
      expect(prompt_cache_key).toHaveLength(64);
    }
    expect(ids[0]).not.toEqual(ids[1]);
  });

  it.each([
    [{ effort: "minimal" as const, budgetTokens: null }, "minimal"],
    [{ effort: "max" as const, budgetTokens: null }, "xhigh"],
    [{ effort: "low" as const, budgetTokens: 30_000 }, "low"],
    [{ effort: null, budgetTokens: 0 }, "none"],
    [{ effort: null, budgetTokens: 1_024 }, "low"],
    [{ effort: null, budgetTokens: 8_192 }, "medium"],
    [{ effort: null, budgetTokens: 24_576 }, "high"],
    [{ effort: null, budgetTokens: null }, undefined],
  ])("say how much to think: %j", (reasoning, effort) => {
    expect(bodyOf({ reasoning: { ...reasoning, visible: true } })["reasoning_effort"]).toBe(effort);
  });

  it("ask for JSON, in words too where nobody said so", () => {
    const format = { kind: "json" } as const;
    expect(bodyOf({ format, turns: [said("user", text("Hi."))] })).toMatchObject({
      messages: [{ role: "system", content: "Answer in JSON." }, { role: "user" }],
      response_format: { type: "json_object" },
    });
    expect(bodyOf({ format, turns: [said("user", text("As json."))] })["messages"]).toHaveLength(1);
  });

  it("ask for a schema, under a name that is allowed", () => {
    const schema = { type: "object", properties: {} };
    expect(
      bodyOf({ format: { kind: "schema", name: "place", schema, strict: null } })["response_format"],
    ).toEqual({
      type: "json_schema",
      json_schema: { name: "place", schema },
    });
    const format = { kind: "schema", name: "my place", schema, strict: true } as const;
    expect(bodyOf({ format })["response_format"]).toMatchObject({
      json_schema: { name: expect.stringMatching(/^[\w-]{1,64}$/) as unknown, strict: true },
    });
  });

  it("are left out and told where the dialect has no word for them", () => {
    const marked = said("user", { kind: "text", text: "x", cache: "5m" });
    expect(encode({ topK: 40, turns: [marked] }).omitted).toEqual(["top_k", "cache_control"]);
    expect(encode({ turns: [said("user", text("x"))] }).omitted).toEqual([]);
  });
});

describe("a request that goes out and comes back", () => {
  it("says the same", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const back = acrossRequest(crossing, request);
        expect(essenceOf(back)).toEqual(essenceOf(request));
        const { turns: _, omitted: _o, tools, ...rest } = back;
        expect(rest).toEqual(withoutMore(request));
        expect(tools).toEqual(request.tools);
      }),
    );
  });

  it("keeps its own reasoning", () => {
    const detail = '{"type":"reasoning.text","signature":"sig"}';
    const turns = [
      said(
        "assistant",
        {
          kind: "thinking",
          text: "Hm.",
          signature: { origin: "openai-chat", data: detail },
          redacted: false,
        },
        text("x"),
      ),
    ];
    expect(acrossRequest(crossing, { ...BARE_REQUEST, model: "m", turns }).turns).toEqual(turns);
  });
});

const withoutMore = ({ turns: _, tools: _t, omitted: _o, ...rest }: NeutralRequest) => rest;
