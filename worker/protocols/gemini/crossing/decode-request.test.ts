import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientCall } from "../../__fixtures__/crossing.ts";
import { RelayError } from "../../../domain/errors.ts";
import { BARE_REQUEST } from "../../neutral.ts";
import { decodeRequest } from "./decode-request.ts";

const PATH = "/v1beta/models/gemini-3.1-pro-preview:generateContent";
const CONTENTS = [{ role: "user", parts: [{ text: "Hello" }] }];

const decode = (body: unknown, path = PATH) => decodeRequest(clientCall(path, body));
const decodeParts = (parts: unknown, role = "user") =>
  decode({ contents: [...CONTENTS, { role, parts }] }).turns[1];
const config = (generationConfig: unknown) => decode({ contents: CONTENTS, generationConfig });
const text = (value: string) => ({ kind: "text", text: value, cache: null });

function refusal(body: unknown, path = PATH): string {
  try {
    decode(body, path);
  } catch (error) {
    if (error instanceof RelayError && error.code === "invalid_request") return error.message;
    throw error;
  }
  throw new Error("was not refused");
}

describe("decodeRequest", () => {
  it("reads a bare request, and the model and streaming in the path", () => {
    expect(decode({ contents: CONTENTS })).toEqual({
      ...BARE_REQUEST,
      model: "gemini-3.1-pro-preview",
      turns: [{ role: "user", parts: [text("Hello")] }],
    });
    const stream = decode({ contents: CONTENTS }, "/v1/models/tuned%2Fa:streamGenerateContent");
    expect(stream).toMatchObject({ model: "tuned/a", stream: true });
  });

  it("reads a turn of the Gemini CLI", () => {
    const request = decode({
      systemInstruction: { role: "user", parts: [{ text: "You are a CLI agent." }] },
      contents: [
        { role: "user", parts: [{ text: "List the files." }] },
        {
          role: "model",
          parts: [
            { text: "I will look." },
            {
              functionCall: { name: "list_directory", args: { path: "." }, id: "list_directory-17-0" },
              thoughtSignature: "skip_thought_signature_validator",
            },
          ],
        },
        {
          role: "user",
          parts: [
            {
              functionResponse: {
                id: "list_directory-17-0",
                name: "list_directory",
                response: { output: "a.ts\nb.ts" },
              },
            },
          ],
        },
      ],
      tools: [
        {
          functionDeclarations: [
            {
              name: "list_directory",
              description: "Lists a directory.",
              parametersJsonSchema: { type: "object", properties: { path: { type: "string" } } },
            },
          ],
        },
      ],
      generationConfig: { temperature: 1, topP: 0.95, topK: 64, thinkingConfig: { includeThoughts: true } },
    });
    expect(request).toEqual({
      ...BARE_REQUEST,
      model: "gemini-3.1-pro-preview",
      turns: [
        { role: "system", parts: [text("You are a CLI agent.")] },
        { role: "user", parts: [text("List the files.")] },
        {
          role: "assistant",
          parts: [
            text("I will look."),
            {
              kind: "tool_call",
              id: "list_directory-17-0",
              name: "list_directory",
              arguments: '{"path":"."}',
              signature: null,
            },
          ],
        },
        {
          role: "user",
          parts: [
            {
              kind: "tool_result",
              callId: "list_directory-17-0",
              name: "list_directory",
              content: [text("a.ts\nb.ts")],
              isError: false,
              cache: null,
            },
          ],
        },
      ],
      tools: [
        {
          name: "list_directory",
          description: "Lists a directory.",
          parameters: { type: "object", properties: { path: { type: "string" } } },
          strict: null,
          cache: null,
        },
      ],
      temperature: 1,
      topP: 0.95,
      topK: 64,
      reasoning: { effort: null, budgetTokens: null, visible: true },
    });
  });

  it("reads either spelling, single things for lists of one, and null as absent", () => {
    const request = decode({
      system_instruction: { parts: { text: "Be brief." } },
      contents: { parts: { inline_data: { mime_type: "image/png", data: "a-_b" }, text: null } },
      tools: { function_declarations: { name: "f", parameters_json_schema: { type: "object" } } },
      tool_config: { function_calling_config: { mode: "ANY" } },
      generation_config: {
        max_output_tokens: "77",
        stop_sequences: ["END"],
        response_mime_type: "application/json",
      },
      safety_settings: null,
    });
    expect(request).toMatchObject({
      turns: [
        { role: "system", parts: [text("Be brief.")] },
        { role: "user", parts: [{ mediaType: "image/png", source: { kind: "base64", data: "a+/b" } }] },
      ],
      tools: [{ name: "f", parameters: { type: "object" } }],
      toolChoice: { kind: "required" },
      outputTokensMax: 77,
      stop: ["END"],
      format: { kind: "json" },
      omitted: [],
    });
    expect(decode({ systemInstruction: "As text", contents: CONTENTS }).turns[0]?.parts).toEqual([
      text("As text"),
    ]);
  });
});

describe("parts", () => {
  it("that lie at an address are media, unless only Google can read them", () => {
    const file = (fileUri: string) => ({ fileData: { mimeType: "application/pdf", fileUri } });
    expect(decodeParts([file("https://example.com/a.pdf")])?.parts).toEqual([
      {
        kind: "media",
        mediaType: "application/pdf",
        source: { kind: "url", url: "https://example.com/a.pdf" },
        name: null,
        cache: null,
      },
    ]);
    for (const uri of [
      "gs://bucket/a.pdf",
      "https://generativelanguage.googleapis.com/v1beta/files/abc",
      "https://www.youtube.com/watch?v=1",
      "https://youtu.be/1",
    ]) {
      expect(refusal({ contents: [{ parts: [file(uri)] }] })).toMatch(
        /^contents\[0\]\.parts\[0\]\.fileData: is not/,
      );
    }
  });

  it("that clip a film, or belong to tools of Google's, are refused", () => {
    const clip = {
      inlineData: { mimeType: "video/mp4", data: "AA==" },
      videoMetadata: { startOffset: "1s" },
    };
    expect(refusal({ contents: [{ parts: [clip] }] })).toContain("contents[0].parts[0].videoMetadata");
    expect(refusal({ contents: [{ role: "model", parts: [{ toolCall: {} }] }] })).toContain("toolCall");
  });

  it("that a model of Google's ran itself are told as words", () => {
    const parts = [
      { executableCode: { language: "PYTHON", code: "print(1)" } },
      { codeExecutionResult: { outcome: "OUTCOME_OK", output: "1" } },
    ];
    expect(decodeParts(parts, "model")?.parts).toEqual([
      text("\n```\nprint(1)\n```\n"),
      text("\n```\n1\n```\n"),
    ]);
  });

  it("that say nothing are left out, and turns of such parts", () => {
    const turns = decode({
      contents: [{ role: "model", parts: [{ text: "" }, {}] }, ...CONTENTS, { role: "model" }],
    });
    expect(turns.turns).toHaveLength(1);
    expect(refusal({ contents: [{ parts: [] }] })).toBe("contents: is empty");
  });

  it("of a thought come together up to its signature", () => {
    // "anthropic#c2ln" as base64: what Gemini's clients keep in a field for bytes.
    const foreign = btoa("anthropic#c2ln");
    const parts = [
      { text: "Hm", thought: true },
      { text: ", yes.", thought: true },
      { text: "", thought: true, thoughtSignature: foreign },
      { thought: true, thoughtSignature: foreign },
      { text: "Yes.", thoughtSignature: "b3du" },
    ];
    const signature = { origin: "anthropic", data: "c2ln" };
    expect(decodeParts(parts, "model")?.parts).toEqual([
      { kind: "thinking", text: "Hm, yes.", signature, redacted: false },
      { kind: "thinking", text: "", signature, redacted: true },
      text("Yes."),
    ]);
  });
});

describe("calls and results", () => {
  const call = (name: string, id?: string) => ({ functionCall: { name, args: { n: 1 }, id } });
  const result = (name: string, response: unknown, id?: string) => ({
    functionResponse: { name, response, id },
  });
  const rounds = (calls: unknown[], results: unknown[]) =>
    decode({
      contents: [...CONTENTS, { role: "model", parts: calls }, { role: "function", parts: results }],
    });

  it("without ids are matched by name in order, and get the same ids in every request", () => {
    const { turns } = rounds(
      [call("f"), call("g"), call("f")],
      [result("g", { result: "G" }), result("f", {}), result("f", {})],
    );
    expect(turns[1]?.parts).toMatchObject([{ id: "call_1_0" }, { id: "call_1_1" }, { id: "call_1_2" }]);
    expect(turns[2]?.parts).toMatchObject([
      { callId: "call_1_1", name: "g", content: [text("G")] },
      { callId: "call_1_0" },
      { callId: "call_1_2" },
    ]);
  });

  it("are matched by id where both have one, and by name where the client made one up", () => {
    const { turns } = rounds(
      [call("f", "a:1"), call("f", "b"), call("g")],
      [result("f", {}, "b"), result("f", {}, "a:1"), result("g", {}, "g-1790000000000")],
    );
    const [first, second, third] =
      turns[1]?.parts.map((part) => (part.kind === "tool_call" ? part.id : null)) ?? [];
    expect(first).toMatch(/^a_1_[0-9a-f]{8}$/);
    expect(turns[2]?.parts).toMatchObject([{ callId: second }, { callId: first }, { callId: third }]);
  });

  it("are answered once, where a client says a result again", () => {
    const { turns } = rounds(
      [call("f", "a"), call("f", "b")],
      [result("f", { result: 1 }, "a"), result("f", { result: 1 }, "a"), result("f", { result: 2 }, "b")],
    );
    expect(turns[2]?.parts).toMatchObject([
      { callId: "a", content: [text("1")] },
      { callId: "b", content: [text("2")] },
    ]);
  });

  it("say what Google's conventions make of a response", () => {
    const responses = [{ result: { a: 1 } }, { output: "out" }, { error: "no" }, { a: 1, b: 2 }, {}];
    const { turns } = rounds(
      responses.map(() => call("f")),
      responses.map((response) => result("f", response)),
    );
    expect(turns[2]?.parts).toMatchObject([
      { content: [text('{"a":1}')], isError: false },
      { content: [text("out")], isError: false },
      { content: [text("no")], isError: true },
      { content: [text('{"a":1,"b":2}')], isError: false },
      { content: [text("{}")], isError: false },
    ]);
  });

  it("keep pictures in results, and put results before words", () => {
    const shown = {
      functionResponse: {
        name: "f",
        response: { result: "see" },
        parts: [{ inlineData: { mimeType: "image/png", data: "AA==" } }],
      },
    };
    expect(rounds([call("f")], [{ text: "Go on" }, shown]).turns[2]?.parts).toMatchObject([
      { kind: "tool_result", content: [text("see"), { kind: "media", mediaType: "image/png" }] },
      { kind: "text", text: "Go on" },
    ]);
  });

  it("keep Gemini's signature of a call", () => {
    const signed = { ...call("f"), thoughtSignature: "c2ln" };
    expect(rounds([signed], []).turns[1]?.parts).toMatchObject([
      { signature: { origin: "gemini", data: "c2ln" } },
    ]);
  });

  it("are refused in the wrong place", () => {
    expect(refusal({ contents: [{ role: "user", parts: [call("f")] }] })).toContain(
      "contents[0].parts[0].functionCall",
    );
    expect(refusal({ contents: [{ role: "model", parts: [result("f", {})] }] })).toContain(
      "functionResponse",
    );
    expect(refusal({ contents: [{ parts: [result("f", {})] }] })).toBe(
      "contents[0].parts[0].functionResponse: answers no functionCall before it",
    );
  });
});

describe("tools", () => {
  const declared = ["a", "b", "c"].map((name) => ({ name }));
  const choose = (functionCallingConfig: unknown) => {
    const { tools, toolChoice } = decode({
      contents: CONTENTS,
      tools: [{ functionDeclarations: declared }],
      toolConfig: { functionCallingConfig },
    });
    return [toolChoice, tools.map(({ name }) => name).join("")];
  };

  it("are chosen as the mode says, and only among those allowed", () => {
    expect(choose(undefined)).toEqual([null, "abc"]);
    expect(choose({ mode: "AUTO" })).toEqual([{ kind: "auto" }, "abc"]);
    expect(choose({ mode: "NONE" })).toEqual([{ kind: "none" }, "abc"]);
    expect(choose({ mode: "ANY" })).toEqual([{ kind: "required" }, "abc"]);
    expect(choose({ mode: "ANY", allowedFunctionNames: ["b"] })).toEqual([
      { kind: "named", name: "b" },
      "abc",
    ]);
    expect(choose({ mode: "ANY", allowedFunctionNames: ["b", "c"] })).toEqual([{ kind: "required" }, "bc"]);
    expect(choose({ mode: "VALIDATED", allowedFunctionNames: ["a"] })).toEqual([{ kind: "auto" }, "a"]);
    expect(() => choose({ mode: "ANY", allowedFunctionNames: ["x"] })).toThrow("names no function");
    expect(() => choose({ mode: "SOMETIMES" })).toThrow("functionCallingConfig.mode");
  });

  it("of Google's own are left out beside others, and refused alone", () => {
    const tools = [
      { functionDeclarations: declared },
      { googleSearch: {} },
      { codeExecution: {}, url_context: {} },
    ];
    expect(decode({ contents: CONTENTS, tools })).toMatchObject({
      tools: [{ name: "a" }, { name: "b" }, { name: "c" }],
      omitted: ["tools.googleSearch", "tools.urlContext", "tools.codeExecution"],
    });
    expect(refusal({ contents: CONTENTS, tools: [{ googleSearch: {} }] })).toMatch(
      /^tools\.googleSearch: is not/,
    );
  });

  it("have a schema, in whichever form they are declared", () => {
    const functionDeclarations = [
      { name: "a", parameters: { type: "OBJECT", properties: { x: { type: "STRING" } } } },
      { name: "b" },
    ];
    expect(decode({ contents: CONTENTS, tools: [{ functionDeclarations }] }).tools).toMatchObject([
      { parameters: { type: "object", properties: { x: { type: "string" } } } },
      { parameters: { type: "object", properties: {} } },
    ]);
  });
});

describe("generationConfig", () => {
  it("keeps sampling, limits and stop sequences", () => {
    const values = {
      temperature: 2,
      topP: 0.5,
      topK: 3,
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: -0.1,
    };
    expect(config({ ...values, maxOutputTokens: 100, stopSequences: ["a", "b"] })).toMatchObject({
      ...values,
      outputTokensMax: 100,
      stop: ["a", "b"],
    });
  });

  it("asks for JSON, with a schema or without", () => {
    const responseSchema = { type: "ARRAY", items: { type: "INTEGER" } };
    const schema = { type: "array", items: { type: "integer" } };
    const responseMimeType = "application/json";
    expect(config({ responseMimeType: "text/plain" }).format).toBeNull();
    expect(config({ responseMimeType }).format).toEqual({ kind: "json" });
    const asked = { kind: "schema", name: "answer", schema, strict: null };
    expect(config({ responseMimeType, responseSchema }).format).toEqual(asked);
    expect(config({ responseMimeType, responseJsonSchema: schema }).format).toEqual(asked);
  });

  it.each([
    { candidateCount: 2 },
    { responseModalities: ["TEXT", "IMAGE"] },
    { responseLogprobs: true },
    { speechConfig: {} },
    { responseMimeType: "text/x.enum" },
  ])("refuses %j, which no other dialect can give", (asked) => {
    const [name = ""] = Object.keys(asked);
    expect(refusal({ contents: CONTENTS, generationConfig: asked })).toContain(
      `generationConfig.${name}: is not supported`,
    );
  });

  it("leaves out what changes nothing that is asked", () => {
    const request = decode({
      contents: CONTENTS,
      safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
      labels: { team: "a" },
      generationConfig: {
        mediaResolution: "MEDIA_RESOLUTION_LOW",
        candidateCount: 1,
        responseModalities: ["TEXT"],
      },
      somethingNew: 1,
    });
    expect(request.omitted).toEqual(["safetySettings", "labels", "mediaResolution"]);
  });
});

describe("malformed requests", () => {
  it.each([
    [{ contents: "x" }, /^contents\[0\]: /],
    [{ contents: [{ parts: [{ text: 7 }] }] }, /^contents\[0\]\.parts\[0\]\.text: /],
    [
      { contents: CONTENTS, tools: [{ functionDeclarations: [{}] }] },
      /^tools\[0\]\.functionDeclarations\[0\]\.name: /,
    ],
    [{ contents: CONTENTS, generationConfig: { temperature: "x" } }, /^generationConfig\.temperature: /],
    [
      { contents: CONTENTS, generationConfig: { maxOutputTokens: 1.5 } },
      /^generationConfig\.maxOutputTokens: /,
    ],
    [{ contents: [{ role: "system", parts: [] }] }, /^contents\[0\]\.role: /],
    [{ contents: CONTENTS, cachedContent: "cachedContents/a" }, /^cachedContent: is not supported/],
    [{}, /^contents: /],
  ])("%j are refused by name", (body, message) => {
    expect(refusal(body)).toMatch(message);
  });

  it("of whatever shape are read or refused, and never break", () => {
    const anything = fc.oneof(
      fc.constantFrom("f", "", 0, -1.5, true, null),
      fc.constantFrom<unknown>([], {}, ["f"], { a: 1 }, [{ name: "f" }]),
    );
    const some = (names: readonly string[], values = anything) =>
      fc.oneof(
        anything,
        fc.record(Object.fromEntries(names.map((name) => [name, values])), { requiredKeys: [] }),
      );
    const part = some(
      ["text", "thought", "thoughtSignature", "inlineData", "fileData", "functionCall", "functionResponse"],
      some(["id", "name", "args", "response", "parts", "mimeType", "data", "fileUri"]),
    );
    const content = fc.record({ role: fc.constantFrom("user", "model", 7), parts: fc.array(part) });
    const body = fc.record(
      {
        contents: fc.oneof(anything, fc.array(content, { maxLength: 3 })),
        systemInstruction: some(["role", "parts"]),
        tools: some(["functionDeclarations"], some(["name", "parameters", "parametersJsonSchema"])),
        toolConfig: some(["functionCallingConfig"], some(["mode", "allowedFunctionNames"])),
        generationConfig: some(["thinkingConfig", "responseSchema", "stopSequences", "candidateCount"]),
      },
      { requiredKeys: ["contents"] },
    );
    fc.assert(
      fc.property(body, (value) => {
        try {
          decode(value);
        } catch (error) {
          expect(error).toBeInstanceOf(RelayError);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("nested too deeply are refused", () => {
    const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
    const body = `{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":${deep}}}}]}]}`;
    const call = { ...clientCall(PATH, null), body: new TextEncoder().encode(body) };
    expect(() => decodeRequest(call)).toThrow("nested too deeply");
  });

  it("that are no generate calls of the Gemini API are refused", () => {
    const body = { model: "gemini-2.5-pro", request: { contents: CONTENTS } };
    expect(refusal(body, "/v1internal:generateContent")).toMatch(
      /^\/v1internal:generateContent: is not supported/,
    );
    expect(refusal({ contents: CONTENTS }, "/v1beta/models/m:countTokens")).toContain("countTokens");
  });
});
