import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnthropicUsageReader, readAnthropicAnswer, TOKENS_MAX } from "./usage.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

const event = (name: string, data: unknown, lineEnd = "\n") =>
  `event: ${name}${lineEnd}data: ${JSON.stringify(data)}${lineEnd}${lineEnd}`;

const stream = (lineEnd = "\n") =>
  [
    event(
      "message_start",
      {
        type: "message_start",
        message: { model: "m", usage: { input_tokens: 10, output_tokens: 1, cache_read_input_tokens: 5 } },
      },
      lineEnd,
    ),
    event("ping", { type: "ping" }, lineEnd),
    event(
      "content_block_start",
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      lineEnd,
    ),
    event(
      "content_block_delta",
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "héllo 😀 多" } },
      lineEnd,
    ),
    event("content_block_stop", { type: "content_block_stop", index: 0 }, lineEnd),
    event(
      "message_delta",
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 42 } },
      lineEnd,
    ),
    event("message_stop", { type: "message_stop" }, lineEnd),
  ].join("");

function read(bytes: Uint8Array, slice: number) {
  const reader = new AnthropicUsageReader();
  for (let at = 0; at < bytes.length; at += slice) reader.push(bytes.subarray(at, at + slice));
  reader.end();
  return reader;
}

describe("AnthropicUsageReader", () => {
  it.each(["\n", "\r\n", "\r"])(
    "gives the same usage for every slicing of the stream (line end %j)",
    (lineEnd) => {
      const bytes = bytesOf(stream(lineEnd));
      for (const slice of [1, 2, 3, 5, 7, 64, bytes.length]) {
        expect(read(bytes, slice).reading).toMatchObject({
          tokens: { input: 10, output: 42, cacheRead: 5 },
          model: "m",
          reported: true,
          finished: true,
          clamped: false,
        });
      }
    },
  );

  it("is not finished, and estimates the output, when the end is missing", () => {
    const text = "word ".repeat(100);
    const cut = stream().split("event: content_block_stop")[0] ?? "";
    const delta = event("content_block_delta", {
      type: "content_block_delta",
      index: 0,
      delta: { type: "text_delta", text },
    });
    const { reading } = read(bytesOf(cut + delta), 64);
    expect(reading.finished).toBe(false);
    expect(reading.tokens.output).toBeGreaterThan(100);
    expect(reading.tokens.output).toBeLessThan(200);
  });

  it("keeps an explicit zero a zero, and lets a later zero erase nothing", () => {
    const zero = event("message_start", {
      type: "message_start",
      message: { usage: { input_tokens: 0, output_tokens: 0 } },
    });
    expect(read(bytesOf(zero), 64).reading).toMatchObject({
      tokens: { input: 0, output: 0 },
      reported: true,
    });
    const late = event("message_delta", {
      type: "message_delta",
      usage: { input_tokens: 0, output_tokens: 9 },
    });
    expect(read(bytesOf(stream() + late), 64).reading.tokens).toMatchObject({ input: 10, output: 9 });
  });

  it("ignores an event whose JSON is broken and reads the next", () => {
    expect(read(bytesOf(`event: x\ndata: {"type":\n\n${stream()}`), 7).reading.tokens.output).toBe(42);
  });

  it("sees an error event, its type and its message", () => {
    const error = event("error", {
      type: "error",
      error: { type: "overloaded_error", message: "Overloaded" },
    });
    const reader = read(bytesOf(error), 5);
    expect(reader.reading.errorType).toBe("overloaded_error");
    expect(reader.errorMessage).toBe("Overloaded");
    expect(reader.sawContent).toBe(false);
  });

  it("makes whole, possible counts of anything an upstream may claim", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (input, output, creation) => {
        const usage = {
          input_tokens: input,
          output_tokens: output,
          cache_creation: creation,
          cache_creation_input_tokens: output,
        };
        const { tokens } = read(
          bytesOf(event("message_delta", { type: "message_delta", usage })),
          64,
        ).reading;
        for (const count of Object.values(tokens)) {
          expect(Number.isSafeInteger(count)).toBe(true);
          expect(count).toBeGreaterThanOrEqual(0);
          expect(count).toBeLessThanOrEqual(2 * TOKENS_MAX);
        }
      }),
    );
  });
});

describe("readAnthropicAnswer", () => {
  it("finds usage and model among other fields", () => {
    const body = {
      id: "msg",
      model: "m",
      content: [{ text: '"usage":{"input_tokens":9}' }],
      usage: { input_tokens: 3, output_tokens: 4 },
    };
    expect(readAnthropicAnswer(bytesOf(JSON.stringify(body)))).toMatchObject({
      model: "m",
      tokens: { input: 3, output: 4 },
      finished: true,
    });
  });

  it.each(["", "not json", "[]", '{"usage":7}', '{"usage":null}'])(
    "takes %j for an answer without usage",
    (text) => {
      expect(readAnthropicAnswer(bytesOf(text)).reported).toBe(false);
    },
  );
});
