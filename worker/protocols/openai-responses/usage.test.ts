import { describe, expect, it } from "vitest";
import { readJsonAnswer } from "../openai/usage.ts";
import { ResponsesUsageReader } from "./usage.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

const event = (data: { readonly type: string } & Record<string, unknown>, lineEnd = "\n") =>
  `event: ${data.type}${lineEnd}data: ${JSON.stringify(data)}${lineEnd}${lineEnd}`;

const USAGE = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
  output_tokens: 42,
  output_tokens_details: { reasoning_tokens: 30 },
  total_tokens: 142,
};
const TOKENS = { input: 30, cacheRead: 60, cacheWrite5m: 10, output: 42 };

const ended = (type: string, more: Record<string, unknown> = {}) => ({
  type,
  sequence_number: 9,
  response: { id: "resp_1", model: "gpt-6-sol-2026-10-01", service_tier: "priority", usage: USAGE, ...more },
});

const delta = (text: string) => ({
  type: "response.output_text.delta",
  sequence_number: 4,
  item_id: "msg_1",
  delta: text,
});

const opening = (lineEnd = "\n") =>
  event({ type: "response.created", response: { model: "gpt-6-sol", usage: null } }, lineEnd) +
  event({ type: "response.in_progress", response: { model: "gpt-6-sol" } }, lineEnd);

function read(text: string, slice = 64) {
  const bytes = bytesOf(text);
  const reader = new ResponsesUsageReader();
  for (let at = 0; at < bytes.length; at += slice) reader.push(bytes.subarray(at, at + slice));
  reader.end();
  return reader;
}

describe("ResponsesUsageReader", () => {
  it.each(["\n", "\r\n", "\r"])(
    "gives the same usage for every slicing of the stream (line end %j)",
    (lineEnd) => {
      const text =
        opening(lineEnd) + event(delta("héllo 😀 多"), lineEnd) + event(ended("response.completed"), lineEnd);
      for (const slice of [1, 2, 3, 5, 7, 64, text.length * 3]) {
        const reader = read(text, slice);
        expect(reader.sawContent).toBe(true);
        expect(reader.reading).toMatchObject({
          tokens: TOKENS,
          model: "gpt-6-sol-2026-10-01",
          serviceTier: "priority",
          reported: true,
          finished: true,
          clamped: false,
          errorType: null,
        });
      }
    },
  );

  it("16: reads the usage of an answer that was cut short by its own limit, and is finished", () => {
    expect(read(opening() + event(ended("response.incomplete"))).reading).toMatchObject({
      tokens: TOKENS,
      finished: true,
    });
  });

  it.each(["response.completed", "response.incomplete"])(
    "16: reads the usage behind an answer too large to be held, and is finished (%s)",
    (type) => {
      // What the answer itself says of usage does not count.
      const text = `"usage":{"input_tokens":7} ${"y".repeat(1_500_000)} "usage":{"input_tokens":8}`;
      const output = [{ type: "message", content: [{ type: "output_text", text }] }];
      const response = { id: "resp_1", model: "gpt-6-sol", output, usage: USAGE, user: null };
      for (const slice of [16_384, 65_536]) {
        expect(read(opening() + event({ type, sequence_number: 9, response }), slice).reading).toMatchObject({
          tokens: TOKENS,
          model: "gpt-6-sol",
          reported: true,
          finished: true,
        });
      }
    },
  );

  it("takes an answer too large to be held, whose usage stands nowhere, for one without", () => {
    const response = { usage: USAGE, output: "y".repeat(1_500_000) };
    const { reading } = read(opening() + event({ type: "response.completed", response }), 65_536);
    expect(reading).toMatchObject({ reported: false, finished: true });
  });

  it("16: reads the usage of an answer that failed, and its error", () => {
    const error = { code: "rate_limit_exceeded", message: "Please try again in 11.054s." };
    const reader = read(opening() + event(ended("response.failed", { error })));
    expect(reader.reading).toMatchObject({
      tokens: TOKENS,
      finished: false,
      errorType: "rate_limit_exceeded",
    });
    expect(reader).toMatchObject({ errorMessage: "Please try again in 11.054s.", sawContent: false });
  });

  it.each([
    [{ type: "error", code: "server_error", message: "m", param: null }, "server_error", "m"],
    [{ type: "error", code: null, message: "m" }, "server_error", "m"],
    [
      { type: "error", error: { type: "usage_limit_reached", message: "Limit.", resets_in_seconds: 90 } },
      "usage_limit_reached",
      "Limit. Try again in 90s.",
    ],
    [{ type: "error", error: "text" }, "server_error", null],
  ])("sees the error in %j", (data, type, message) => {
    const reader = read(event(data));
    expect(reader.reading.errorType).toBe(type);
    expect(reader).toMatchObject({ errorMessage: message, sawContent: false });
  });

  it("is not finished, and estimates the output by the deltas alone, when the end is missing", () => {
    const text = "word ".repeat(100);
    const done = { type: "response.output_text.done", text };
    const { reading, sawContent } = read(opening() + event(delta(text)) + event(done));
    expect(sawContent).toBe(true);
    expect(reading).toMatchObject({ finished: false, reported: false });
    expect(reading.tokens.output).toBeGreaterThan(50);
    expect(reading.tokens.output).toBeLessThan(160);
  });

  it("knows content whose type is not its first field", () => {
    const reader = read('data: {"sequence_number":1,"type":"response.output_text.delta","delta":"x"}\n\n');
    expect(reader.sawContent).toBe(true);
  });

  it("clamps figures that cannot be, and survives what is none", () => {
    const usage = { input_tokens: 5, input_tokens_details: { cached_tokens: 9 }, output_tokens: -3 };
    expect(read(event(ended("response.completed", { usage }))).reading).toMatchObject({
      tokens: { input: 0, cacheRead: 5, output: 0 },
      clamped: true,
    });
    for (const broken of ["text", 7, [], { input_tokens: "many", input_tokens_details: "none" }]) {
      const { reading } = read(event(ended("response.completed", { usage: broken })));
      expect(Object.values(reading.tokens).every((count) => Number.isSafeInteger(count) && count >= 0)).toBe(
        true,
      );
    }
    expect(read("data: {broken\n\ndata: [DONE]\n\nevent: x\n\n").reading.finished).toBe(false);
  });

  it("counts the searches of the answer, and not the pages they opened", () => {
    const output = [
      { type: "web_search_call", action: { type: "search" } },
      { type: "web_search_call", action: { type: "open_page" } },
      { type: "message" },
    ];
    expect(read(event(ended("response.completed", { output }))).reading.tokens.webSearches).toBe(1);
  });
});

describe("readJsonAnswer", () => {
  it("reads a Responses answer, a chat answer, an embedding and a picture", () => {
    const of = (answer: unknown) => readJsonAnswer(bytesOf(JSON.stringify(answer)));
    expect(of({ model: "m", service_tier: "flex", usage: USAGE })).toMatchObject({
      tokens: TOKENS,
      model: "m",
      serviceTier: "flex",
      finished: true,
    });
    const usage = { prompt_tokens: 10, prompt_tokens_details: { cached_tokens: 4 }, completion_tokens: 7 };
    expect(of({ usage }).tokens).toMatchObject({ input: 6, cacheRead: 4, output: 7 });
    expect(of({ usage: { prompt_tokens: 8, total_tokens: 8 } }).tokens).toMatchObject({
      input: 8,
      output: 0,
    });
    expect(of({ created: 1, usage: { input_tokens: 3, output_tokens: 900 } }).tokens).toMatchObject({
      input: 3,
      output: 900,
    });
  });

  it("takes what it cannot read for an answer without usage", () => {
    for (const text of ["", "[]", "{", '{"usage":', "null"]) {
      expect(readJsonAnswer(bytesOf(text))).toMatchObject({ reported: false });
    }
  });
});
