import { describe, expect, it } from "vitest";
import { RelayError, type ErrorFacts } from "../../domain/errors.ts";
import { gemini } from "./index.ts";

const CONTENTS = [{ role: "user", parts: [{ text: "Hello" }] }];
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const parse = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  gemini.parse({ path, body: bytesOf(body), headers: new Headers(headers), query: "" });

describe("parse", () => {
  it.each([
    "/v1beta/models/gemini-2.5-pro:streamGenerateContent",
    "/v1/models/gemini-2.5-pro:streamGenerateContent",
    "/v1beta1/publishers/google/models/gemini-2.5-pro:streamGenerateContent",
  ])("finds model and streaming in the path %s", (path) => {
    const parsed = parse(path, { contents: CONTENTS, generationConfig: { maxOutputTokens: 99 } });
    expect(parsed).toMatchObject({
      model: "gemini-2.5-pro",
      modelRange: null,
      stream: true,
      outputTokensMax: 99,
      affinitySource: { kind: "none" },
    });
  });

  it("finds the model of a Code Assist call in its envelope, and its session", () => {
    const body = { model: "gemini-2.5-pro", request: { contents: CONTENTS, session_id: "session-123" } };
    const parsed = parse("/v1internal:generateContent", body);
    expect(parsed).toMatchObject({
      model: "gemini-2.5-pro",
      stream: false,
      affinitySource: { kind: "session", id: "session-123" },
    });
    const range = parsed.modelRange ?? { start: 0, end: 0 };
    expect(textOf(bytesOf(body).subarray(range.start, range.end))).toBe('"gemini-2.5-pro"');
  });

  it("takes a call about the account for one without a model", () => {
    expect(parse("/v1internal:loadCodeAssist", { metadata: {} })).toMatchObject({ model: "", stream: false });
    const count = { request: { model: "models/gemini-2.5-pro", contents: CONTENTS } };
    expect(parse("/v1internal:countTokens", count)).toMatchObject({ model: "gemini-2.5-pro" });
  });

  it("knows a conversation by its instructions, tools and first content, in both spellings", () => {
    const ranges = (body: Record<string, unknown>) => {
      const { affinitySource } = parse("/v1beta/models/m:generateContent", body);
      if (affinitySource.kind !== "prefix") throw new Error(affinitySource.kind);
      return affinitySource.ranges.map(({ start, end }) => textOf(bytesOf(body).subarray(start, end)));
    };
    const more = [...CONTENTS, { role: "model", parts: [{ text: "Hi" }] }, ...CONTENTS];
    const first = ranges({ systemInstruction: { parts: [] }, tools: [{}], contents: CONTENTS });
    expect(first).toHaveLength(3);
    expect(ranges({ tools: [{}], contents: more, system_instruction: { parts: [] } })).toEqual(first);
  });

  it.each([
    ["/v1beta/models/m:generateContent", {}],
    ["/v1beta/models/m:generateContent", []],
    ["/v1beta/models/%2E%2e:generateContent", { contents: CONTENTS }],
    ["/v1beta/models/%00:generateContent", { contents: CONTENTS }],
    ["/v1beta/models/%E0%A4%A:generateContent", { contents: CONTENTS }],
    ["/v1internal:generateContent", { model: "m" }],
    ["/v1internal:generateContent", { request: { contents: CONTENTS } }],
    ["/v1internal:generateContent", { model: 7, request: { contents: CONTENTS } }],
    ["/v1internal:generateContent", { model: "m", request: "x" }],
  ])("refuses %s with %j", (path, body) => {
    expect(() => parse(path, body)).toThrow(RelayError);
  });
});

describe("pathWithModel", () => {
  it("names another model, whatever characters it has", () => {
    const path = gemini.pathWithModel?.("/v1beta/models/a:countTokens", "tuned/b c");
    expect(path).toBe("/v1beta/models/tuned%2Fb%20c:countTokens");
    expect(gemini.pathWithModel?.("/v1internal:generateContent", "b")).toBe("/v1internal:generateContent");
  });
});

describe("isUserTurn", () => {
  const turn = (last: unknown) => gemini.isUserTurn(bytesOf({ contents: [...CONTENTS, last] }));
  it("tells a person's word from a function's answer and from the model's", () => {
    expect(turn({ parts: [{ text: "x" }] })).toBe(true);
    expect(turn({ role: "user", parts: [{ functionResponse: { name: "f" } }] })).toBe(false);
    expect(turn({ role: "model", parts: [{ text: "x" }] })).toBe(false);
    expect(gemini.isUserTurn(bytesOf({ model: "m", request: { contents: CONTENTS } }))).toBe(true);
  });
});

describe("withoutBoundParts", () => {
  it("takes thought signatures away, and leaves function calls the documented stand-in", () => {
    const parts = [
      { text: "thought", thoughtSignature: "abc" },
      { functionCall: { name: "f", id: "1" }, thoughtSignature: "def" },
    ];
    const repaired = gemini.withoutBoundParts(bytesOf({ a: 1.5, contents: [{ role: "model", parts }] }));
    expect(repaired?.removed).toBe("2 thought signatures");
    expect(JSON.parse(textOf(repaired?.body ?? new Uint8Array()))).toEqual({
      a: 1.5,
      contents: [
        {
          role: "model",
          parts: [
            { text: "thought" },
            {
              functionCall: { name: "f", id: "1" },
              thoughtSignature: "skip_thought_signature_validator",
            },
          ],
        },
      ],
    });
    expect(gemini.withoutBoundParts(bytesOf({ contents: CONTENTS }))).toBeNull();
  });
});

describe("errors", () => {
  const limited: ErrorFacts = {
    code: "rate_limited",
    message: "Too many",
    retryAfterMs: 1500,
    reason: "requests_per_minute",
  };

  it("have Google's shape, with what a program can read", () => {
    const { status, body } = gemini.renderError(limited, "req_1");
    expect(status).toBe(429);
    expect(JSON.parse(body)).toEqual({
      error: {
        code: 429,
        message: "Too many",
        status: "RESOURCE_EXHAUSTED",
        details: [
          { "@type": "type.googleapis.com/google.rpc.RequestInfo", requestId: "req_1" },
          {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            reason: "requests_per_minute",
            domain: "edge-relay",
          },
          { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "2s" },
        ],
      },
    });
    expect(gemini.renderError({ ...limited, code: "upstream_overloaded" }, "r").status).toBe(503);
  });

  it("inside a stream are an event, or an element that closes the array", () => {
    const render = (atBoundary: boolean, frame?: { before: string; after: string } | null) =>
      textOf(gemini.renderErrorEvent(limited, "r", atBoundary, frame));
    expect(render(true)).toMatch(/^data: \{"error":.*\}\n\n$/);
    expect(render(false)).toMatch(/^\n\ndata: /);
    expect(JSON.parse(`[{}${render(true, { before: ",", after: "]" })}`)).toHaveLength(2);
    expect(render(true, null)).toBe("");
  });
});
