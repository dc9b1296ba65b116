import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GeminiStreamReader } from "./stream-reader.ts";
import { readGeminiAnswer, TOKENS_MAX } from "./usage.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

const chunk = (text: string, more: object = {}) => ({
  candidates: [{ content: { role: "model", parts: [{ text }] }, index: 0 }],
  modelVersion: "gemini-2.5-pro",
  ...more,
});
const usageMetadata = {
  promptTokenCount: 100,
  cachedContentTokenCount: 40,
  toolUsePromptTokenCount: 7,
  candidatesTokenCount: 20,
  thoughtsTokenCount: 5,
  totalTokenCount: 132,
};
const messages = [
  chunk("héllo 😀", { usageMetadata: { promptTokenCount: 100, totalTokenCount: 100 } }),
  chunk('多 "}],{\\'),
  { candidates: [{ finishReason: "STOP", index: 0 }], modelVersion: "models/gemini-2.5-pro", usageMetadata },
];
const wrapped = messages.map((response) => ({ response, traceId: "t" }));

const sse = (all: readonly unknown[], lineEnd = "\r\n") =>
  all.map((message) => `data: ${JSON.stringify(message)}${lineEnd}${lineEnd}`).join("");
const array = (all: readonly unknown[]) =>
  `[${all.map((message) => JSON.stringify(message, null, 2)).join("\n,\r\n")}\n]`;

const SSE = "text/event-stream";
const JSON_TYPE = "application/json; charset=UTF-8";

function read(text: string, contentType: string, slice = 64) {
  const bytes = bytesOf(text);
  const reader = new GeminiStreamReader(contentType);
  for (let at = 0; at < bytes.length; at += slice) reader.push(bytes.subarray(at, at + slice));
  reader.end();
  return reader;
}

describe("GeminiStreamReader", () => {
  it.each([
    ["events", sse(messages), SSE],
    ["events with LF", sse(messages, "\n"), SSE],
    ["events of Code Assist", sse(wrapped), SSE],
    ["an array", array(messages), JSON_TYPE],
    ["an array of Code Assist", array(wrapped), JSON_TYPE],
  ])("gives the same usage for every slicing of %s", (_, text, contentType) => {
    for (const slice of [1, 2, 3, 5, 7, 64, text.length]) {
      const reader = read(text, contentType, slice);
      expect(reader.reading).toMatchObject({
        tokens: { input: 67, output: 25, cacheRead: 40, cacheWrite5m: 0, cacheWrite1h: 0 },
        model: "gemini-2.5-pro",
        reported: true,
        finished: true,
        clamped: false,
        errorType: null,
      });
      expect(reader.sawContent).toBe(true);
    }
  });

  it("takes the difference to the total for thoughts where none are named", () => {
    const usage = { promptTokenCount: 10, candidatesTokenCount: 3, totalTokenCount: 20 };
    expect(read(sse([{ usageMetadata: usage }]), SSE).reading.tokens).toMatchObject({
      input: 10,
      output: 10,
    });
  });

  it("is finished when every candidate seen has ended, or when the prompt was blocked", () => {
    const candidate = (index: number, finishReason?: string) => ({ candidates: [{ index, finishReason }] });
    const both = [candidate(0), candidate(1), candidate(0, "STOP")];
    expect(read(sse(both), SSE).reading.finished).toBe(false);
    expect(read(sse([...both, candidate(1, "MAX_TOKENS")]), SSE).reading.finished).toBe(true);
    const blocked = [{ promptFeedback: { blockReason: "SAFETY" } }];
    expect(read(sse(blocked), SSE).reading.finished).toBe(true);
  });

  it("is not finished, and estimates the output, when the end is missing", () => {
    const { reading } = read(sse([chunk("word ".repeat(100))]), SSE);
    expect(reading).toMatchObject({ finished: false, tokens: { output: 125 } });
  });

  it.each([SSE, JSON_TYPE])(
    "sees an error before any content, its status and its message (%s)",
    (contentType) => {
      const error = { error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } };
      const reader = read(contentType === SSE ? sse([error]) : array([error]), contentType, 3);
      expect(reader.reading.errorType).toBe("UNAVAILABLE");
      expect(reader.errorMessage).toBe("The model is overloaded.");
      expect(reader.sawContent).toBe(false);
    },
  );

  it("names an error by its code where it has no status", () => {
    expect(read(sse([{ error: { code: 429 } }]), SSE).reading.errorType).toBe("RESOURCE_EXHAUSTED");
    expect(read(sse([{ error: {} }]), SSE).reading.errorType).toBe("INTERNAL");
  });

  it("ignores a message whose JSON is broken and reads the next", () => {
    expect(read(`data: {"candidates":[{\n\n${sse(messages)}`, SSE).reading.tokens.output).toBe(25);
  });

  it("makes whole, possible counts of anything an upstream may claim", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (a, b, c, d) => {
        const usage = {
          promptTokenCount: a,
          cachedContentTokenCount: b,
          candidatesTokenCount: c,
          thoughtsTokenCount: d,
          totalTokenCount: a,
        };
        const { tokens } = read(sse([{ usageMetadata: usage }]), SSE).reading;
        for (const count of Object.values(tokens)) {
          expect(Number.isSafeInteger(count) && count >= 0 && count <= 2 * TOKENS_MAX).toBe(true);
        }
      }),
    );
  });

  it("clamps more cached tokens than there are", () => {
    const usage = { promptTokenCount: 5, cachedContentTokenCount: 9 };
    expect(read(sse([{ usageMetadata: usage }]), SSE).reading).toMatchObject({
      clamped: true,
      tokens: { input: 0, cacheRead: 5 },
    });
  });
});

describe("readGeminiAnswer", () => {
  it.each([
    ["bare", chunk("x", { usageMetadata })],
    ["wrapped", { response: chunk("x", { usageMetadata }) }],
  ])("finds usage and model (%s)", (_, body) => {
    expect(readGeminiAnswer(bytesOf(JSON.stringify(body)))).toMatchObject({
      model: "gemini-2.5-pro",
      tokens: { input: 67, output: 25, cacheRead: 40 },
      finished: true,
    });
  });

  it.each(["", "not json", "[]", '{"usageMetadata":7}', '{"usageMetadata":{}}'])(
    "takes %j for an answer without usage",
    (text) => {
      expect(readGeminiAnswer(bytesOf(text)).reported).toBe(false);
    },
  );
});
