import { describe, expect, it } from "vitest";
import { FACTS } from "../../__fixtures__/neutral-answers.ts";
import { BARE_REQUEST, type NeutralRequest, type Part, type Tool, type Turn } from "../../neutral.ts";
import { encodeRequest } from "./encode-request.ts";

const text = (value: string): Part => ({ kind: "text", text: value, cache: null });
const user = (...parts: Part[]): Turn => ({ role: "user", parts });
const assistant = (...parts: Part[]): Turn => ({ role: "assistant", parts });
const system = (...parts: Part[]): Turn => ({ role: "system", parts });
const call = (
  id: string,
  signature: { origin: "gemini" | "anthropic"; data: string } | null = null,
): Part => ({
  kind: "tool_call",
  id,
  name: "f",
  arguments: '{"a":1}',
  signature,
});
const result = (callId: string, more: Partial<Extract<Part, { kind: "tool_result" }>> = {}): Part => ({
  kind: "tool_result",
  callId,
  name: "f",
  content: [{ kind: "text", text: "done", cache: null }],
  isError: false,
  cache: null,
  ...more,
});
const tool = (name: string, parameters: Tool["parameters"] = { type: "object" }): Tool => ({
  name,
  description: null,
  parameters,
  strict: null,
  cache: null,
});

const MODEL = "gemini-3.1-pro-preview";
const request = (more: Partial<NeutralRequest>): NeutralRequest => ({
  ...BARE_REQUEST,
  model: MODEL,
  turns: [user(text("Hi"))],
  ...more,
});
const bodyOf = (more: Partial<NeutralRequest>) => encodeRequest(request(more)).body;
const contentsOf = (turns: Turn[], model = MODEL) => bodyOf({ turns, model }).contents;

describe("encodeRequest", () => {
  it("asks for a whole answer, or for a stream of events", () => {
    expect(encodeRequest(request({}))).toMatchObject({
      path: "/v1beta/models/gemini-3.1-pro-preview:generateContent",
      query: "",
      body: { contents: [{ role: "user", parts: [{ text: "Hi" }] }] },
      omitted: [],
    });
    expect(encodeRequest(request({ stream: true, model: "a/b" }))).toMatchObject({
      path: "/v1beta/models/a%2Fb:streamGenerateContent",
      query: "alt=sse",
    });
    expect(Object.keys(bodyOf({}))).toEqual(["contents"]);
  });

  it("gathers system turns, and takes them for the question where there is no other", () => {
    const turns = [system(text("A"), text("B")), user(text("Hi")), system(text("C"))];
    expect(bodyOf({ turns })).toMatchObject({
      systemInstruction: { parts: [{ text: "A" }, { text: "B" }, { text: "C" }] },
      contents: [{ role: "user" }],
    });
    expect(bodyOf({ turns: [system(text("A"))] })).toEqual({
      contents: [{ role: "user", parts: [{ text: "A" }] }],
    });
  });

  it("writes pictures and documents, by bytes or by address", () => {
    const media = (mediaType: string | null, source: Extract<Part, { kind: "media" }>["source"]): Part => ({
      kind: "media",
      mediaType,
      source,
      name: "x",
      cache: "5m",
    });
    const turns = [
      user(
        text("See"),
        media("application/pdf", { kind: "base64", data: "AA==" }),
        media(null, { kind: "url", url: "https://example.com/a.png" }),
      ),
    ];
    expect(contentsOf(turns)).toEqual([
      {
        role: "user",
        parts: [
          { text: "See" },
          { inlineData: { mimeType: "application/pdf", data: "AA==" } },
          { fileData: { fileUri: "https://example.com/a.png" } },
        ],
      },
    ]);
  });

  it("puts the results of one step together, before what they show and what is said", () => {
    const picture = {
      kind: "media",
      mediaType: "image/png",
      source: { kind: "base64", data: "AA==" },
      name: null,
      cache: null,
    } as const;
    const turns = [
      user(text("Go")),
      assistant(text("Calling")),
      assistant(call("a"), call("b")),
      user(result("a", { content: [{ kind: "text", text: "see", cache: null }, picture] })),
      user(result("b", { isError: true, name: "" }), text("Go on")),
    ];
    expect(contentsOf(turns, "gemini-2.5-pro")).toEqual([
      { role: "user", parts: [{ text: "Go" }] },
      {
        role: "model",
        parts: [
          { text: "Calling" },
          { functionCall: { id: "a", name: "f", args: { a: 1 } } },
          { functionCall: { id: "b", name: "f", args: { a: 1 } } },
        ],
      },
      {
        role: "user",
        parts: [
          { functionResponse: { id: "a", name: "f", response: { result: "see" } } },
          { functionResponse: { id: "b", name: "f", response: { error: "done" } } },
          { inlineData: { mimeType: "image/png", data: "AA==" } },
          { text: "Go on" },
        ],
      },
    ]);
  });

  it("keeps arguments that are no object where a person can find them", () => {
    const broken = (args: string): Part => ({
      kind: "tool_call",
      id: "a",
      name: "f",
      arguments: args,
      signature: null,
    });
    const argsFor = (args: string) =>
      contentsOf([user(text("Hi")), assistant(broken(args))], "gemini-2.5-pro");
    const call = (args: unknown) => [{}, { parts: [{ functionCall: { args } }] }];
    expect(argsFor("")).toMatchObject(call({}));
    expect(argsFor('{"a":')).toMatchObject(call({ _raw: '{"a":' }));
    expect(argsFor("[1]")).toMatchObject(call({ _raw: "[1]" }));
  });
});

describe("thoughts and signatures", () => {
  const thinking = (signature: { origin: "gemini" | "anthropic"; data: string } | null): Part => ({
    kind: "thinking",
    text: "Hm",
    signature,
    redacted: false,
  });

  it("are only sent where Gemini signed them", () => {
    const turns = [
      user(text("Hi")),
      assistant(thinking(null)),
      user(text("Hi?")),
      assistant(
        thinking({ origin: "anthropic", data: "x" }),
        thinking({ origin: "gemini", data: "y" }),
        text("Yes"),
      ),
    ];
    expect(contentsOf(turns)).toEqual([
      { role: "user", parts: [{ text: "Hi" }, { text: "Hi?" }] },
      { role: "model", parts: [{ text: "Hm", thought: true, thoughtSignature: "y" }, { text: "Yes" }] },
    ]);
  });

  const signaturesOf = (turns: Turn[], model: string) => {
    const contents = contentsOf(turns, model) as {
      parts: { functionCall?: object; thoughtSignature?: string }[];
    }[];
    return contents.flatMap(({ parts }) =>
      parts.filter((part) => part.functionCall !== undefined).map((part) => part.thoughtSignature ?? null),
    );
  };
  const SKIP = "skip_thought_signature_validator";

  it("stand in for those that are missing on the first call of each step of the running turn", () => {
    const turns = [
      user(text("First")),
      assistant(call("a")),
      user(result("a")),
      assistant(text("Done")),
      user(text("Second")),
      assistant(call("b", { origin: "gemini", data: "own" }), call("c")),
      user(result("b"), result("c")),
      assistant(call("d", { origin: "anthropic", data: "foreign" }), call("e")),
      user(result("d"), result("e"), text("Mind the tests.")),
      assistant(call("g")),
    ];
    expect(signaturesOf(turns, "gemini-3-flash-preview")).toEqual([null, "own", null, SKIP, null, SKIP]);
    expect(signaturesOf(turns, "gemini-flash-latest")).toEqual([null, "own", null, SKIP, null, SKIP]);
    expect(signaturesOf(turns, "gemini-2.5-pro")).toEqual([null, "own", null, null, null, null]);
  });
});

describe("tools", () => {
  it("are declared with their schemas, and without one where they take nothing", () => {
    const properties = { x: { $ref: "#/$defs/X" } };
    const schema = {
      $schema: "x",
      type: "object",
      properties,
      required: ["x"],
      $defs: { X: { type: "string" } },
    };
    const tools = [
      { ...tool("f", schema), description: "Does f." },
      tool("g"),
      tool("h", { type: "object", properties: {} }),
    ];
    expect(bodyOf({ tools }).tools).toEqual([
      {
        functionDeclarations: [
          {
            name: "f",
            description: "Does f.",
            parametersJsonSchema: { type: "object", properties: { x: { type: "string" } }, required: ["x"] },
          },
          { name: "g" },
          { name: "h" },
        ],
      },
    ]);
  });

  it.each([
    [{ kind: "auto" }, { mode: "AUTO" }],
    [{ kind: "none" }, { mode: "NONE" }],
    [{ kind: "required" }, { mode: "ANY" }],
    [
      { kind: "named", name: "f" },
      { mode: "ANY", allowedFunctionNames: ["f"] },
    ],
  ] as const)("are chosen: %j", (toolChoice, functionCallingConfig) => {
    expect(bodyOf({ tools: [tool("f")], toolChoice }).toolConfig).toEqual({ functionCallingConfig });
    expect(bodyOf({ tools: [], toolChoice })).not.toHaveProperty("toolConfig");
  });

  it("have names that Gemini takes, and get their own back in the answer", () => {
    const long = `mcp__server__${"x".repeat(80)}`;
    const encoded = encodeRequest(request({ tools: [tool(long), tool("3d/render"), tool("a.b:c")] }));
    const [{ functionDeclarations }] = encoded.body.tools as [{ functionDeclarations: { name: string }[] }];
    const names = functionDeclarations.map(({ name }) => name);
    for (const name of names) expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_.:-]{0,63}$/);
    expect(names[2]).toBe("a.b:c");
    const parts = names.map((name) => ({ functionCall: { name, args: {} } }));
    const events = encoded.createDecoder(FACTS).whole({ candidates: [{ content: { parts } }] });
    const told = events.flatMap((event) =>
      event.kind === "open" && "name" in event.part ? [event.part.name] : [],
    );
    expect(told).toEqual([long, "3d/render", "a.b:c"]);
  });

  it("are called one at a time where the client asks for that", () => {
    const parts = ["f", "g"].map((name) => ({ functionCall: { name, args: {} } }));
    const callsWith = (parallelToolCalls: boolean | null) =>
      encodeRequest(request({ parallelToolCalls }))
        .createDecoder(FACTS)
        .whole({ candidates: [{ content: { parts } }] })
        .filter(({ kind }) => kind === "open").length;
    expect([callsWith(null), callsWith(true), callsWith(false)]).toEqual([2, 2, 1]);
  });
});

describe("generationConfig", () => {
  it("holds limits, sampling and stop sequences", () => {
    const sampling = {
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      presencePenalty: 0.2,
      frequencyPenalty: 0.3,
      seed: 5,
    };
    expect(bodyOf({ ...sampling, outputTokensMax: 1000, stop: ["END"] }).generationConfig).toEqual({
      ...sampling,
      maxOutputTokens: 1000,
      stopSequences: ["END"],
    });
    expect(bodyOf({ outputTokensMax: 128_000 }).generationConfig).toEqual({ maxOutputTokens: 65_536 });
    expect(() => bodyOf({ stop: ["1", "2", "3", "4", "5", "6"] })).toThrow(
      "stop: more than 5: is not supported",
    );
  });

  it("asks for JSON, and for a schema", () => {
    expect(bodyOf({ format: { kind: "json" } }).generationConfig).toEqual({
      responseMimeType: "application/json",
    });
    const schema = { type: "object", properties: { a: { const: "x" } }, additionalProperties: false };
    expect(bodyOf({ format: { kind: "schema", name: "a", schema, strict: true } }).generationConfig).toEqual({
      responseMimeType: "application/json",
      responseJsonSchema: { ...schema, properties: { a: { enum: ["x"] } } },
    });
  });

  it("tells what it leaves out", () => {
    const left = request({
      user: "u",
      cacheKey: "k",
      seed: 2 ** 40,
      tools: [{ ...tool("f"), strict: true }],
      model: "gemma-4",
      reasoning: { effort: "high", budgetTokens: null, visible: true },
    });
    expect(encodeRequest(left).omitted).toEqual(["user", "cache key", "seed", "reasoning", "strict tools"]);
    expect(encodeRequest(left).body).not.toHaveProperty("generationConfig");
  });
});
