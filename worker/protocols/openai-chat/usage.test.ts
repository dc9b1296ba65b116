import { describe, expect, it } from "vitest";
import { ChatUsageReader } from "./usage.ts";

const data = (value: unknown, lineEnd = "\n") => `data: ${JSON.stringify(value)}${lineEnd}${lineEnd}`;

const chunk = (choices: unknown, more: Record<string, unknown> = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  model: "gpt-6-luna",
  service_tier: "default",
  choices,
  ...more,
});
const said = (content: string, more: Record<string, unknown> = {}) =>
  chunk([{ index: 0, delta: { content }, finish_reason: null }], more);

const USAGE = {
  prompt_tokens: 50,
  completion_tokens: 20,
  prompt_tokens_details: { cached_tokens: 30 },
  completion_tokens_details: { reasoning_tokens: 12 },
};
const ROLE = chunk([{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }]);
const FINISH = chunk([{ index: 0, delta: {}, finish_reason: "stop" }], { usage: null });
const USAGE_CHUNK = chunk([], { usage: USAGE });

function read(text: string, slice = 64) {
  const bytes = new TextEncoder().encode(text);
  const reader = new ChatUsageReader();
  for (let at = 0; at < bytes.length; at += slice) reader.push(bytes.subarray(at, at + slice));
  reader.end();
  return reader;
}

describe("ChatUsageReader", () => {
  it.each(["\n", "\r\n", "\r"])(
    "gives the same usage for every slicing of the stream (line end %j)",
    (lineEnd) => {
      const events = [
        ROLE,
        said("héllo 😀", { usage: null, obfuscation: "xY" }),
        said("多"),
        FINISH,
        USAGE_CHUNK,
      ];
      const text = events.map((event) => data(event, lineEnd)).join("") + `data: [DONE]${lineEnd}${lineEnd}`;
      for (const slice of [1, 2, 3, 5, 7, 64, text.length * 3]) {
        const reader = read(text, slice);
        expect(reader.sawContent).toBe(true);
        expect(reader.reading).toMatchObject({
          tokens: { input: 20, cacheRead: 30, output: 20 },
          model: "gpt-6-luna",
          serviceTier: "default",
          reported: true,
          finished: true,
        });
      }
    },
  );

  it("has no content while only the role is known", () => {
    expect(read(data(ROLE)).sawContent).toBe(false);
    expect(read(data(ROLE) + data(said("x"))).sawContent).toBe(true);
    const call = chunk([{ index: 0, delta: { tool_calls: [{ index: 0 }] }, finish_reason: null }]);
    expect(read(data(call)).sawContent).toBe(true);
  });

  it("is finished by `[DONE]`, or by the usage behind the last choice where there is none", () => {
    expect(read(data(said("x")) + data(FINISH)).reading.finished).toBe(false);
    expect(read(data(said("x")) + data(FINISH) + "data: [DONE]\n\n").reading.finished).toBe(true);
    expect(read(data(said("x")) + data(FINISH) + data(USAGE_CHUNK)).reading.finished).toBe(true);
    expect(read("data:[DONE]").reading.finished).toBe(true);
  });

  it("sees an error frame, before content and behind it", () => {
    const error = { message: "The server had an error", type: "server_error", code: null, param: null };
    expect(read(data({ error }))).toMatchObject({
      reading: { errorType: "server_error", finished: false },
      errorMessage: "The server had an error",
      sawContent: false,
    });
    expect(read(data(said("x")) + data({ error })).sawContent).toBe(true);
  });

  it("estimates the output of a stream that was cut", () => {
    const { reading } = read(data(ROLE) + data(said("word ".repeat(100))));
    expect(reading).toMatchObject({ reported: false, finished: false });
    expect(reading.tokens.output).toBeGreaterThan(50);
    expect(reading.tokens.output).toBeLessThan(160);
  });

  it("takes text that looks like the end of a chunk for text", () => {
    const text = said('"finish_reason":null}]}');
    expect(read(data(ROLE) + data(text) + data(FINISH) + data(USAGE_CHUNK)).reading.finished).toBe(true);
  });
});
