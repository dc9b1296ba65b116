import { describe, expect, it } from "vitest";
import { FACTS } from "../../__fixtures__/neutral-answers.ts";
import { BARE_REQUEST, type MediaPart, type NeutralRequest, type Part, type Turn } from "../../neutral.ts";
import { encodeRequest } from "./encode-request.ts";

const text = (value: string, cache: "5m" | "1h" | null = null): Part => ({
  kind: "text",
  text: value,
  cache,
});
const system = (...parts: Part[]): Turn => ({ role: "system", parts });
const user = (...parts: Part[]): Turn => ({ role: "user", parts });
const assistant = (...parts: Part[]): Turn => ({ role: "assistant", parts });
const call = (id: string, rest: Partial<Extract<Part, { kind: "tool_call" }>> = {}): Part => ({
  kind: "tool_call",
  id,
  name: "look",
  arguments: '{"at":1}',
  signature: null,
  ...rest,
});
const result = (callId: string, rest: Partial<Extract<Part, { kind: "tool_result" }>> = {}): Part => ({
  kind: "tool_result",
  callId,
  name: "look",
  content: [{ kind: "text", text: "seen", cache: null }],
  isError: false,
  cache: null,
  ...rest,
});
const media = (
  mediaType: string | null,
  source: MediaPart["source"],
  name: string | null = null,
): MediaPart => ({
  kind: "media",
  mediaType,
  source,
  name,
  cache: null,
});
const TOOL = {
  name: "look",
  description: "Looks.",
  parameters: { type: "object", properties: { at: { type: "number" } } },
  strict: null,
  cache: null,
} as const;

const encode = (rest: Partial<NeutralRequest>) =>
  encodeRequest({ ...BARE_REQUEST, model: "claude-sonnet-4-6", turns: [user(text("Hi"))], ...rest });
const bodyOf = (rest: Partial<NeutralRequest>) => encode(rest).body;
const messagesOf = (...turns: Turn[]) => withoutMarks(bodyOf({ turns }).messages);

/** Marks for the cache have tests of their own. */
const withoutMarks = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (field, inner: unknown) => (field === "cache_control" ? undefined : inner)),
  );

const EPHEMERAL = { type: "ephemeral" };

describe("encodeRequest", () => {
  it("asks for a message", () => {
    expect(encode({ stream: true, outputTokensMax: 50, stop: ["END", ""], user: "person-1" })).toMatchObject({
      path: "/v1/messages",
      query: "",
      omitted: [],
      body: {
        model: "claude-sonnet-4-6",
        max_tokens: 50,
        messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
        stop_sequences: ["END"],
        metadata: { user_id: "person-1" },
        stream: true,
      },
    });
    expect(bodyOf({})).not.toHaveProperty("stream");
  });

  it("keeps instructions apart at the beginning, and tells later ones in a person's turn", () => {
    const { body } = encode({
      turns: [
        system(text("Rules.")),
        system(text("More rules."), text(" ")),
        user(text("Hi")),
        system(text("It is Monday.")),
        assistant(text("Hello")),
        system(text("Be brief.")),
        user(text("And?")),
      ],
    });
    expect(withoutMarks({ system: body.system, messages: body.messages })).toEqual({
      system: [
        { type: "text", text: "Rules." },
        { type: "text", text: "More rules." },
      ],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "Hi" },
            { type: "text", text: "<system>\nIt is Monday.\n</system>" },
          ],
        },
        { role: "assistant", content: [{ type: "text", text: "Hello" }] },
        {
          role: "user",
          content: [
            { type: "text", text: "<system>\nBe brief.\n</system>" },
            { type: "text", text: "And?" },
          ],
        },
      ],
    });
  });

  it("asks what the instructions ask, where there is nothing else", () => {
    expect(bodyOf({ turns: [system(text("Write a haiku."))] })).toMatchObject({
      messages: [{ role: "user", content: [{ type: "text", text: "Write a haiku." }] }],
    });
  });

  it("joins turns of one role, and leaves out what is blank", () => {
    expect(
      messagesOf(
        user(text("One")),
        user(text("\n")),
        user(text("two")),
        assistant(text("")),
        user(text("!")),
      ),
    ).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "One" },
          { type: "text", text: "two" },
          { type: "text", text: "!" },
        ],
      },
    ]);
  });

  it("puts pictures, documents and texts into the blocks that Anthropic has for them", () => {
    const bytes = (data: string) => ({ kind: "base64", data }) as const;
    const url = (address: string) => ({ kind: "url", url: address }) as const;
    const [message] = messagesOf(
      user(
        media("image/jpg", bytes("/9j/")),
        media(null, url("https://example.com/a")),
        media(null, url("https://example.com/a.PDF?x=1"), "a.pdf"),
        media("application/pdf", bytes("JVBERi0="), "b.pdf"),
        media("text/markdown; charset=utf-8", bytes(btoa("# Hi"))),
      ),
    ) as [{ content: unknown }];
    expect(message.content).toEqual([
      { type: "image", source: { type: "base64", media_type: "image/jpeg", data: "/9j/" } },
      { type: "image", source: { type: "url", url: "https://example.com/a" } },
      { type: "document", source: { type: "url", url: "https://example.com/a.PDF?x=1" }, title: "a.pdf" },
      {
        type: "document",
        source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" },
        title: "b.pdf",
      },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "# Hi" } },
    ]);
  });

  it("sends Claude its own thinking, and nobody else's", () => {
    const thinking = (origin: "anthropic" | "gemini" | null, redacted = false): Part => ({
      kind: "thinking",
      text: redacted ? "" : "Hm.",
      signature: origin === null ? null : { origin, data: "s" },
      redacted,
    });
    expect(
      messagesOf(
        user(text("Hi")),
        assistant(
          thinking("anthropic"),
          thinking("anthropic", true),
          thinking("gemini"),
          thinking(null),
          text("Yes"),
        ),
      ),
    ).toMatchObject([
      {},
      {
        content: [
          { type: "thinking", thinking: "Hm.", signature: "s" },
          { type: "redacted_thinking", data: "s" },
          { type: "text", text: "Yes" },
        ],
      },
    ]);
  });

  it("gives calls side by side all their results in the next message, errors and pictures included", () => {
    const picture = media("image/png", { kind: "base64", data: "iVBORw0KGgo=" });
    expect(
      messagesOf(
        user(text("Go")),
        assistant(
          text("I look."),
          call("a"),
          call("b", { arguments: "" }),
          call("c", { arguments: "{broken" }),
        ),
        user(result("b", { isError: true, content: [] })),
        user(result("a", { content: [picture] }), result("c"), text("Well?")),
      ),
    ).toEqual([
      { role: "user", content: [{ type: "text", text: "Go" }] },
      {
        role: "assistant",
        content: [
          { type: "text", text: "I look." },
          { type: "tool_use", id: "a", name: "look", input: { at: 1 } },
          { type: "tool_use", id: "b", name: "look", input: {} },
          { type: "tool_use", id: "c", name: "look", input: { arguments: "{broken" } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "b", is_error: true },
          {
            type: "tool_result",
            tool_use_id: "a",
            content: [
              { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } },
            ],
          },
          { type: "tool_result", tool_use_id: "c", content: [{ type: "text", text: "seen" }] },
          { type: "text", text: "Well?" },
        ],
      },
    ]);
  });

  it("answers for calls that were broken off, and tells results that have no call", () => {
    const missing = {
      type: "tool_result",
      tool_use_id: "a",
      content: [{ type: "text", text: "There is no result: the call was broken off." }],
      is_error: true,
    };
    expect(
      messagesOf(user(text("Go")), assistant(call("a")), user(text("Stop")), assistant(call("a"))),
    ).toEqual([
      { role: "user", content: [{ type: "text", text: "Go" }] },
      { role: "assistant", content: [{ type: "tool_use", id: "a", name: "look", input: { at: 1 } }] },
      { role: "user", content: [missing, { type: "text", text: "Stop" }] },
      { role: "assistant", content: [{ type: "tool_use", id: "a", name: "look", input: { at: 1 } }] },
      { role: "user", content: [missing] },
    ]);
    expect(messagesOf(user(result("gone"), text("See?")))).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "Result of the tool call gone:" },
          { type: "text", text: "seen" },
          { type: "text", text: "See?" },
        ],
      },
    ]);
  });

  it("offers tools, and names those of the past without offering them", () => {
    expect(
      withoutMarks(
        bodyOf({
          tools: [
            { ...TOOL, strict: true },
            { ...TOOL, name: "go", description: null, parameters: {} },
          ],
        }).tools,
      ),
    ).toEqual([
      { name: "look", description: "Looks.", input_schema: TOOL.parameters },
      { name: "go", input_schema: { type: "object", properties: {} } },
    ]);
    expect(encode({ tools: [{ ...TOOL, strict: true }] }).omitted).toEqual(["tools.strict"]);
    expect(bodyOf({ turns: [user(text("Hi")), assistant(call("a")), user(result("a"))] })).toMatchObject({
      tools: [{ name: "look", input_schema: { type: "object", properties: {} } }],
      tool_choice: { type: "none" },
    });
  });

  it("shortens names that are too long, and tells the client the long ones again", () => {
    const long = `mcp__${"server_".repeat(12)}__read.file`;
    const encoded = encode({
      tools: [{ ...TOOL, name: long }],
      toolChoice: { kind: "named", name: long },
      turns: [user(text("Hi")), assistant(call("a", { name: long })), user(result("a"))],
    });
    const { body } = encoded;
    const [{ name }] = body.tools as [{ name: string }];
    expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(body.tool_choice).toEqual({ type: "tool", name });
    expect(JSON.stringify(body.messages)).toContain(`"name":"${name}"`);
    const whole = { content: [{ type: "tool_use", id: "b", name, input: {} }], stop_reason: "tool_use" };
    expect(encoded.createDecoder(FACTS).whole(whole)).toContainEqual({
      kind: "open",
      index: 0,
      part: { kind: "tool_call", id: "b", name: long },
    });
  });

  it.each<[Partial<NeutralRequest>, unknown]>([
    [{}, undefined],
    [{ parallelToolCalls: true }, undefined],
    [{ parallelToolCalls: false }, { type: "auto", disable_parallel_tool_use: true }],
    [{ toolChoice: { kind: "auto" } }, { type: "auto" }],
    [{ toolChoice: { kind: "none" }, parallelToolCalls: false }, { type: "none" }],
    [{ toolChoice: { kind: "required" } }, { type: "any" }],
    [
      { toolChoice: { kind: "named", name: "look" }, parallelToolCalls: false },
      { type: "tool", name: "look", disable_parallel_tool_use: true },
    ],
  ])("says of its tools %j as %j", (rest, tool_choice) => {
    expect(bodyOf({ tools: [TOOL], ...rest }).tool_choice).toEqual(tool_choice);
    expect(bodyOf({ ...rest }).tool_choice).toBeUndefined();
  });

  it("asks for JSON by a schema, or in the instructions", () => {
    const schema = { type: "object", properties: { a: { type: "string" } } };
    const format = { kind: "schema", name: "x", schema, strict: true } as const;
    expect(
      bodyOf({ format, reasoning: { effort: "low", budgetTokens: null, visible: true } }).output_config,
    ).toEqual({
      effort: "low",
      format: { type: "json_schema", schema: { ...schema, additionalProperties: false } },
    });
    expect(
      bodyOf({ format: { kind: "json" }, turns: [system(text("Rules.")), user(text("Hi"))] }).system,
    ).toEqual([
      { type: "text", text: "Rules." },
      { type: "text", text: "Answer with one valid JSON object and nothing else." },
    ]);
  });

  it("names what it leaves out", () => {
    expect(
      encode({ seed: 1, presencePenalty: 0.1, frequencyPenalty: 0.2, user: "x".repeat(300) }).omitted,
    ).toEqual(["seed", "presence_penalty", "frequency_penalty", "user"]);
    const drawn = media("image/png", { kind: "base64", data: "" });
    const { body, omitted } = encode({ turns: [user(text("Draw")), assistant(drawn), user(text("Bluer"))] });
    expect(omitted).toEqual(["pictures in the model's own turns"]);
    expect(JSON.stringify(body.messages)).toContain("[A picture that is not shown here.]");
  });

  it.each<[Partial<NeutralRequest>, string]>([
    [{ turns: [user(media("audio/wav", { kind: "base64", data: "" }))] }, "audio/wav"],
    [{ turns: [user(media(null, { kind: "base64", data: "" }))] }, "media of unknown type"],
    [
      { turns: [user(media("video/mp4", { kind: "url", url: "https://example.com/v" }))] },
      "a link to video/mp4",
    ],
    [{ stop: ["\n"] }, "stop at white space"],
  ])("refuses %j", (rest, what) => {
    expect(() => encode(rest)).toThrow(`${what}: is not supported here`);
  });

  it("refuses a document whose data cannot be read", () => {
    const broken = media("text/plain", { kind: "base64", data: "%%%" });
    expect(() => encode({ turns: [user(broken)] })).toThrow("not valid base64");
  });
});

describe("marks for the cache", () => {
  it("are the client's where it sets any", () => {
    const body = bodyOf({
      tools: [{ ...TOOL, cache: "5m" }],
      turns: [system(text("Rules.", "1h")), user(text("Hi", "5m"), text("there"))],
    });
    expect(body).toMatchObject({
      tools: [{ cache_control: EPHEMERAL }],
      system: [{ cache_control: { type: "ephemeral", ttl: "1h" } }],
      messages: [{ content: [{ text: "Hi", cache_control: EPHEMERAL }, { text: "there" }] }],
    });
    expect(JSON.stringify(body.messages).match(/cache_control/g)).toHaveLength(1);
  });

  it("are four at most, the last ones", () => {
    const body = bodyOf({
      tools: [{ ...TOOL, cache: "5m" }],
      turns: [
        system(text("a", "5m"), text("b", "5m")),
        user(text("c", "5m"), text("d", "5m"), text("e", "5m")),
      ],
    });
    expect(JSON.stringify(body).match(/cache_control/g)).toHaveLength(4);
    expect(JSON.stringify(body.tools)).not.toContain("cache_control");
    expect(body.system).toEqual([
      { type: "text", text: "a" },
      { type: "text", text: "b", cache_control: EPHEMERAL },
    ]);
  });

  it("are set for a client that knows none, where the prompt will come again", () => {
    const rounds = [user(text("Hi")), assistant(text("Yes")), user(text("And?"), text("So?"))];
    expect(bodyOf({ turns: [system(text("Rules.")), ...rounds] })).toMatchObject({
      system: [{ cache_control: EPHEMERAL }],
      messages: [{}, {}, { content: [{ text: "And?" }, { text: "So?", cache_control: EPHEMERAL }] }],
    });
    expect(JSON.stringify(bodyOf({ turns: rounds })).match(/cache_control/g)).toHaveLength(1);
    expect(bodyOf({ tools: [TOOL] })).toMatchObject({
      tools: [{ cache_control: EPHEMERAL }],
      messages: [{ content: [{ cache_control: EPHEMERAL }] }],
    });
    expect(JSON.stringify(bodyOf({ turns: [system(text("Rules.")), user(text("Hi"))] }))).not.toContain(
      "cache_control",
    );
  });

  it("never stand on thinking", () => {
    const thinking: Part = {
      kind: "thinking",
      text: "",
      signature: { origin: "anthropic", data: "s" },
      redacted: false,
    };
    const { messages } = bodyOf({ turns: [user(text("Hi")), assistant(text("Yes"), thinking)] });
    expect(messages).toMatchObject([{}, { content: [{ cache_control: EPHEMERAL }, { type: "thinking" }] }]);
    expect(JSON.stringify(messages).match(/cache_control/g)).toHaveLength(1);
  });
});
