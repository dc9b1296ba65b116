import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readStream } from "../../__fixtures__/crossing.ts";
import { FACTS, toldBy } from "../../__fixtures__/neutral-answers.ts";
import type { AnswerEvent } from "../../neutral.ts";
import { golden, GOLDEN_ANSWERS } from "./__fixtures__/answers.ts";
import { createDecoder } from "./decode-answer.ts";

const newDecoder = (toClient: (name: string) => string = (name) => name) => createDecoder(FACTS, toClient);
const read = (name: string): AnswerEvent[] => readStream(golden(name).stream, newDecoder());
const decodeAll = (messages: readonly unknown[]): AnswerEvent[] => {
  const decoder = newDecoder();
  return [...messages.flatMap((data) => decoder.decode({ name: null, data })), ...decoder.end()];
};
const kinds = (events: readonly AnswerEvent[]) => events.map(({ kind }) => kind);

const USAGE = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0, reasoning: 0 };

describe("createDecoder", () => {
  it("reads text as it comes, and usage apart from the caches", () => {
    expect(read("text")).toEqual([
      { kind: "start", id: "msg_01TextTextTextTextTextTe", model: "claude-sonnet-4-6" },
      { kind: "usage", usage: { ...USAGE, input: 21, cacheRead: 1800, cacheWrite: 300, output: 2 } },
      { kind: "open", index: 0, part: { kind: "text" } },
      { kind: "delta", index: 0, text: "Rome was founded" },
      { kind: "delta", index: 0, text: " in 753 BC" },
      { kind: "delta", index: 0, text: ", it is said – «ab urbe condita» 🏛." },
      { kind: "close", index: 0 },
      { kind: "usage", usage: { ...USAGE, input: 21, cacheRead: 1800, cacheWrite: 300, output: 24 } },
      { kind: "finish", reason: "stop", stopSequence: null },
      { kind: "end" },
    ]);
  });

  it("reads thinking, its signature, hidden thinking, and how much of the output it was", () => {
    const events = read("thinking");
    expect(events.filter(({ kind }) => kind === "signature")).toEqual([
      {
        kind: "signature",
        index: 0,
        signature: { origin: "anthropic", data: "EqQBCgIYAhIkYjQ0ZmY4NTktZTA2Yi00NDE5LWFjZDktMjQ5OGE3Yw==" },
      },
      { kind: "signature", index: 1, signature: { origin: "anthropic", data: "EmwKAhgBEgy3va3pzix" } },
    ]);
    expect(events).toContainEqual({ kind: "open", index: 1, part: { kind: "thinking", redacted: true } });
    expect(toldBy(events)).toMatchObject({
      thinking: "17 has no divisor up to 4.",
      text: "Yes, 17 is prime.",
      usage: { output: 95, reasoning: 80 },
    });
  });

  it("reads calls that follow each other, by the names that the client knows", () => {
    const decoder = newDecoder((name) => `mcp__${name}`);
    expect(toldBy(readStream(golden("tool_calls").stream, decoder))).toMatchObject({
      text: "I look at both.",
      calls: [
        {
          id: "toolu_01A09q90qw90lq917835lq9",
          name: "mcp__get_weather",
          arguments: { city: "Paris", days: 2 },
        },
        { id: "toolu_01BcdEfGhIjKlMnOpQrStUv", name: "mcp__get_time", arguments: { zone: "Europe/Paris" } },
      ],
      reason: "tool_calls",
    });
  });

  it("tells a refusal and why", () => {
    expect(toldBy(read("refusal"))).toMatchObject({
      text: "I will not ",
      refusal: "This request could enable cyber harm.",
      reason: "refused",
    });
  });

  it("ends an error with the error, in the upstream's words", () => {
    expect(read("error").at(-1)).toEqual({ kind: "error", type: "overloaded_error", message: "Overloaded" });
  });

  it("tells which stop sequence it was", () => {
    expect(read("stop_sequence")).toContainEqual({
      kind: "finish",
      reason: "stop_sequence",
      stopSequence: "END",
    });
  });

  it.each([
    ["end_turn", "stop"],
    ["pause_turn", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["tool_use", "tool_calls"],
    ["refusal", "refused"],
    ["constructor", "stop"],
  ])("takes %s for %s", (stop_reason, reason) => {
    expect(toldBy(decodeAll([{ type: "message_delta", delta: { stop_reason } }])).reason).toBe(reason);
  });

  it.each(GOLDEN_ANSWERS)("gives the same events for every slicing: $name", ({ stream }) => {
    const whole = readStream(stream, newDecoder());
    for (const size of [1, 2, 3, 5, 7, 64]) expect(readStream(stream, newDecoder(), size)).toEqual(whole);
  });

  it("does not end an answer that was cut", () => {
    const { stream } = golden("text");
    const cut = stream.slice(0, stream.indexOf("event: message_delta"));
    expect(kinds(readStream(cut, newDecoder()))).not.toContain("finish");
    const unended = stream.slice(0, stream.indexOf("event: message_stop"));
    expect(kinds(readStream(unended, newDecoder()))).not.toContain("end");
  });

  it("says nothing after the end", () => {
    expect(read("text")).toEqual(readStream(golden("text").stream + golden("error").stream, newDecoder()));
  });

  it("reads a call whose arguments came at once", () => {
    const start = {
      type: "content_block_start",
      index: 0,
      content_block: { type: "tool_use", id: "a", name: "look", input: { at: 1 } },
    };
    const stop = { type: "message_stop" };
    expect(toldBy(decodeAll([start, stop])).calls).toEqual([{ id: "a", name: "look", arguments: { at: 1 } }]);
    const delta = {
      type: "content_block_delta",
      index: 0,
      delta: { type: "input_json_delta", partial_json: '{"at":2}' },
    };
    expect(toldBy(decodeAll([start, delta, stop])).calls).toEqual([
      { id: "a", name: "look", arguments: { at: 2 } },
    ]);
  });

  it("passes over blocks that no other client knows", () => {
    const events = decodeAll([
      {
        type: "content_block_start",
        index: 0,
        content_block: { type: "server_tool_use", id: "s", name: "web_search" },
      },
      { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: "{}" } },
      { type: "content_block_stop", index: 0 },
      { type: "content_block_start", index: 1, content_block: { type: "text", text: "Found." } },
      { type: "message_stop" },
    ]);
    expect(kinds(events)).toEqual(["start", "open", "delta", "close", "finish", "end"]);
    expect(events[1]).toMatchObject({ index: 0 });
  });

  it("makes an id for a call that has none", () => {
    const start = {
      type: "content_block_start",
      index: 3,
      content_block: { type: "tool_use", name: "look" },
    };
    expect(decodeAll([start])).toContainEqual({
      kind: "open",
      index: 0,
      part: { kind: "tool_call", id: "toolu_req_0123456789_0", name: "look" },
    });
  });

  it("reads of a whole answer what can be read", () => {
    expect(newDecoder().whole("not an answer")).toEqual([]);
    expect(kinds(newDecoder().whole({}))).toEqual(["start", "finish", "end"]);
    expect(
      kinds(newDecoder().whole({ type: "error", error: { type: "api_error", message: "No." } })),
    ).toEqual(["error"]);
  });

  it("never throws and never loses the order, whatever comes", () => {
    const index = fc.constantFrom(0, 1, 2, "0", null);
    const block = fc.oneof(
      fc.record({
        type: fc.constantFrom("text", "thinking", "redacted_thinking", "tool_use", "else"),
        text: fc.constant("x"),
        id: fc.constant("a"),
        name: fc.constant("n"),
        data: fc.constant("d"),
      }),
      fc.jsonValue(),
    );
    const delta = fc.oneof(
      fc.record({
        type: fc.constantFrom("text_delta", "thinking_delta", "signature_delta", "toString"),
        text: fc.constant("x"),
        thinking: fc.constant("y"),
        signature: fc.constant("s"),
        stop_reason: fc.constantFrom(null, "end_turn", 7),
      }),
      fc.jsonValue(),
    );
    const message = fc.oneof(
      fc.record({
        type: fc.constantFrom(
          "message_start",
          "content_block_start",
          "content_block_delta",
          "content_block_stop",
          "message_delta",
          "message_stop",
          "error",
          "ping",
          "constructor",
        ),
        index,
        content_block: block,
        delta,
        message: fc.jsonValue(),
        usage: fc.oneof(
          fc.record({ input_tokens: fc.jsonValue(), output_tokens: fc.jsonValue() }),
          fc.jsonValue(),
        ),
        error: fc.jsonValue(),
      }),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 30 }), (messages) => {
        toldBy(decodeAll(messages));
      }),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.record({ content: fc.array(block), usage: fc.jsonValue(), stop_reason: fc.jsonValue() }),
        ),
        (body) => {
          toldBy(newDecoder().whole(body));
        },
      ),
    );
  });
});
