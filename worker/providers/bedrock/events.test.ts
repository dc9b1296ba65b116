import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chunkFrame,
  encodeFrame,
  exceptionFrame,
  joined,
  withWrongBit,
  withWrongChecksum,
} from "../../../tests/upstream/bedrock-frames.ts";
import { AnthropicUsageReader } from "../../protocols/anthropic/usage.ts";
import { EventDecoder } from "./events.ts";

const METRICS = {
  inputTokenCount: 11,
  outputTokenCount: 22,
  cacheReadInputTokenCount: 33,
  cacheWriteInputTokenCount: 44,
  invocationLatency: 5,
  firstByteLatency: 3,
};
const START = { type: "message_start", message: { model: "claude-x", usage: { input_tokens: 10 } } };
const TEXT = {
  type: "content_block_delta",
  index: 0,
  delta: { type: "text_delta", text: "你好 🌍\nline" },
};
const DELTA = { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 20 } };
const STOP = { type: "message_stop", "amazon-bedrock-invocationMetrics": METRICS };

const framesOf = (...events: readonly object[]): Uint8Array =>
  joined(...events.map((event) => chunkFrame(JSON.stringify(event))));

/** @param cuts where the bytes are cut, as far as they reach */
function decode(bytes: Uint8Array, cuts: readonly number[] = []): string {
  const decoder = new EventDecoder();
  const ends = [...new Set(cuts.map((cut) => Math.min(cut, bytes.length)))].sort((a, b) => a - b);
  let at = 0;
  const pieces: Uint8Array[] = [];
  for (const end of [...ends, bytes.length]) {
    pieces.push(decoder.push(bytes.subarray(at, end)));
    at = end;
  }
  return new TextDecoder().decode(joined(...pieces, decoder.end()));
}

const eventsIn = (text: string): { type: string }[] =>
  [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? "") as { type: string });

function usageIn(text: string) {
  const reader = new AnthropicUsageReader();
  reader.push(new TextEncoder().encode(text));
  reader.end();
  return reader.reading;
}

describe("EventDecoder", () => {
  it("gives Anthropic's events by their names, and none of Bedrock's figures", () => {
    const text = decode(framesOf(START, TEXT, DELTA, STOP));
    expect(text.match(/^event: .*$/gm)).toEqual([
      "event: message_start",
      "event: content_block_delta",
      "event: message_delta",
      "event: message_stop",
    ]);
    expect(text).toContain(`data: ${JSON.stringify(TEXT)}\n\n`);
    expect(eventsIn(text).at(-1)).toEqual({ type: "message_stop" });
    expect(text).not.toContain("amazon-bedrock");
  });

  it("gives the same events for every slicing of the bytes", () => {
    const bytes = framesOf(START, TEXT, TEXT, DELTA, STOP);
    const whole = decode(bytes);
    for (const size of [1, 2, 3, 5, 7, 64]) {
      const cuts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => index * size);
      expect(decode(bytes, cuts)).toBe(whole);
    }
    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.length })), (cuts) => {
        expect(decode(bytes, cuts)).toBe(whole);
      }),
    );
  });

  it("takes the figures that no event has told from the metrics, and no others", () => {
    const reading = usageIn(decode(framesOf(START, TEXT, DELTA, STOP)));
    expect(reading).toMatchObject({ finished: true, model: "claude-x" });
    expect(reading.tokens).toMatchObject({ input: 10, output: 20, cacheRead: 33, cacheWrite5m: 44 });
  });

  it("takes all figures from the metrics where the events tell none", () => {
    const silent = [
      { type: "message_start", message: {} },
      { type: "message_delta", delta: {} },
    ];
    const reading = usageIn(decode(framesOf(...silent, STOP)));
    expect(reading.tokens).toMatchObject({ input: 11, output: 22, cacheRead: 33, cacheWrite5m: 44 });
  });

  it("loses no event where the metrics never come", () => {
    expect(eventsIn(decode(framesOf(START, DELTA))).map(({ type }) => type)).toEqual([
      "message_start",
      "message_delta",
    ]);
  });

  it.each([
    ["throttlingException", "rate_limit_error"],
    ["serviceUnavailableException", "overloaded_error"],
    ["internalServerException", "api_error"],
    ["modelStreamErrorException", "api_error"],
    ["modelTimeoutException", "timeout_error"],
    ["validationException", "invalid_request_error"],
    ["neverHeardOfException", "api_error"],
  ])("ends with one error event at the exception %s", (name, type) => {
    const bytes = joined(framesOf(START), exceptionFrame(name, "Why."), framesOf(TEXT, STOP));
    const [, error, ...more] = eventsIn(decode(bytes));
    expect(error).toEqual({ type: "error", error: { type, message: "Why." } });
    expect(more).toEqual([]);
  });

  it("reads errors without a payload, which tell themselves in headers", () => {
    const headers = {
      ":message-type": "error",
      ":error-code": "ThrottlingException",
      ":error-message": "Slow.",
    };
    expect(eventsIn(decode(encodeFrame(headers, "")))).toEqual([
      { type: "error", error: { type: "rate_limit_error", message: "Slow." } },
    ]);
  });

  it("passes over events that it does not know", () => {
    const headers = { ":message-type": "event", ":event-type": "news" };
    const bytes = joined(encodeFrame(headers, "{}"), framesOf(STOP));
    expect(eventsIn(decode(bytes))).toEqual([{ type: "message_stop" }]);
  });

  it.each([
    ["a wrong checksum", withWrongChecksum(framesOf(TEXT))],
    ["a length that no frame has", new Uint8Array([0xff, 0xff, 0xff, 0xff])],
    ["a length too short for a frame", new Uint8Array([0, 0, 0, 5])],
    ["a payload that is no JSON", encodeFrame({ ":message-type": "event", ":event-type": "chunk" }, "{")],
    ["an event that is no JSON", chunkFrame("data")],
    ["an event whose type is no name", chunkFrame(JSON.stringify({ type: "a\nevent: b" }))],
    [
      "an event that is no UTF-8",
      encodeFrame({ ":message-type": "event", ":event-type": "chunk" }, '{"bytes":"/w=="}'),
    ],
    ["no kind of message at all", encodeFrame({}, "{}")],
  ])("ends with one error event at %s", (_, broken) => {
    const events = eventsIn(decode(joined(framesOf(START), broken, framesOf(TEXT, STOP))));
    expect(events.map(({ type }) => type)).toEqual(["message_start", "error"]);
  });

  it("turns every single wrong bit into an error or a wait for more, and never into another event", () => {
    const bytes = framesOf(TEXT);
    fc.assert(
      fc.property(fc.nat({ max: bytes.length * 8 - 1 }), (bit) => {
        const types = eventsIn(decode(withWrongBit(bytes, bit))).map(({ type }) => type);
        expect([["error"], []]).toContainEqual(types);
      }),
    );
  });

  it("writes an event on one line, however it was printed", () => {
    const text = decode(chunkFrame(JSON.stringify(TEXT, null, 2)));
    expect(text).toBe(`event: content_block_delta\ndata: ${JSON.stringify(TEXT)}\n\n`);
  });

  it("survives any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(eventsIn(decode(bytes)).length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
