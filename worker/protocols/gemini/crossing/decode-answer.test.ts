import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readStream } from "../../__fixtures__/crossing.ts";
import { FACTS, toldBy } from "../../__fixtures__/neutral-answers.ts";
import type { AnswerEvent } from "../../neutral.ts";
import { toolNames } from "../../tool-names.ts";
import { GOLDEN_ANSWERS, sse } from "./__fixtures__/answers.ts";
import { createDecoder } from "./decode-answer.ts";

const decoder = () => createDecoder({ facts: FACTS, names: toolNames([]), callsMax: Infinity });
const read = (messages: readonly unknown[]) => readStream(sse(messages), decoder());
const golden = (name: string) =>
  readStream(GOLDEN_ANSWERS.find((it) => it.name === name)?.stream ?? "", decoder());
const candidate = (parts: readonly unknown[], more: object = {}) => ({
  candidates: [{ content: { parts }, ...more }],
});
const ends = (events: readonly AnswerEvent[]) =>
  events.filter(({ kind }) => kind === "finish" || kind === "end");

describe("a streamed answer", () => {
  it("is text in pieces, with usage as it becomes known", () => {
    expect(golden("text")).toEqual([
      { kind: "start", id: "u4ZgaZ2bFsuMnsEP0Lmw8Ac", model: "gemini-3.1-pro-preview" },
      { kind: "open", index: 0, part: { kind: "text" } },
      { kind: "delta", index: 0, text: "Bonjour" },
      { kind: "usage", usage: { input: 1200, cacheRead: 0, cacheWrite: 0, output: 0, reasoning: 0 } },
      { kind: "delta", index: 0, text: ", 世界 😀" },
      { kind: "delta", index: 0, text: "!" },
      { kind: "usage", usage: { input: 176, cacheRead: 1024, cacheWrite: 0, output: 9, reasoning: 0 } },
      { kind: "close", index: 0 },
      { kind: "finish", reason: "stop", stopSequence: null },
      { kind: "end" },
    ]);
  });

  it("has thoughts apart, which count as output", () => {
    expect(toldBy(golden("thinking"))).toMatchObject({
      thinking: "**Adding**\n\nTwo and two.",
      text: "It is 4.",
      usage: { input: 20, output: 304, reasoning: 300 },
      reason: "stop",
    });
  });

  it("has calls, each whole and signed where Gemini signed it", () => {
    const events = golden("tool_calls");
    expect(toldBy(events)).toMatchObject({
      text: "Let me look.",
      calls: [
        { id: "fc_paris1", name: "get_weather", arguments: { city: "Paris", days: 2 } },
        { id: "fc_tokyo2", name: "get_weather", arguments: { city: "東京" } },
      ],
      // What Google's own tools put into the prompt is input.
      usage: { input: 87, output: 31 },
      reason: "tool_calls",
    });
    expect(events.filter(({ kind }) => kind === "signature")).toMatchObject([
      { index: 1, signature: { origin: "gemini" } },
    ]);
  });

  it("gets ids for calls that have none, of the request's own", () => {
    const call = { functionCall: { name: "f", args: {} } };
    expect(
      toldBy(read([candidate([call]), candidate([call], { finishReason: "STOP" })])).calls,
    ).toMatchObject([{ id: "call_req_0123456789_0" }, { id: "call_req_0123456789_1" }]);
  });

  it("has pictures, but no drafts of them", () => {
    expect(toldBy(golden("image"))).toMatchObject({ text: "Here it is.", media: 1, reason: "stop" });
  });

  it("ends with an error of the upstream, in its words", () => {
    expect(golden("error").at(-1)).toEqual({
      kind: "error",
      type: "UNAVAILABLE",
      message: "The model is overloaded. Please try again later.",
    });
    expect(read([{ error: { code: 429 } }, candidate([{ text: "x" }], { finishReason: "STOP" })])).toEqual([
      { kind: "error", type: "RESOURCE_EXHAUSTED", message: "RESOURCE_EXHAUSTED" },
    ]);
  });

  it("has no end where none was given", () => {
    expect(ends(read([candidate([{ text: "Once" }])]))).toEqual([]);
    expect(ends(read([]))).toEqual([]);
  });

  it("is the first candidate's, and is unwrapped where it is wrapped", () => {
    const both = [
      { index: 1, content: { parts: [{ text: "b" }] } },
      { index: 0, content: { parts: [{ text: "a" }] }, finishReason: "STOP" },
    ];
    expect(toldBy(read([{ response: { candidates: both } }]))).toMatchObject({ text: "a", ended: true });
  });
});

describe("the reason to finish", () => {
  it.each([
    ["STOP", "stop"],
    ["MAX_TOKENS", "length"],
    ["SAFETY", "refused"],
    ["RECITATION", "refused"],
    ["BLOCKLIST", "refused"],
    ["PROHIBITED_CONTENT", "refused"],
    ["SPII", "refused"],
    ["LANGUAGE", "refused"],
    ["OTHER", "refused"],
    ["MALFORMED_FUNCTION_CALL", "refused"],
    ["UNEXPECTED_TOOL_CALL", "refused"],
    ["IMAGE_SAFETY", "refused"],
    ["FINISH_REASON_UNSPECIFIED", "stop"],
    ["SOMETHING_NEW", "stop"],
  ])("%s means %s", (finishReason, reason) => {
    expect(ends(read([candidate([{ text: "x" }], { finishReason })]))).toEqual([
      { kind: "finish", reason, stopSequence: null },
      { kind: "end" },
    ]);
  });

  it("of a blocked prompt is a refusal", () => {
    expect(toldBy(golden("blocked_prompt"))).toMatchObject({ text: "", reason: "refused", ended: true });
    const promptFeedback = { blockReason: "SAFETY", blockReasonMessage: "Not this." };
    expect(toldBy(read([{ promptFeedback }]))).toMatchObject({ refusal: "Not this.", reason: "refused" });
    expect(ends(read([{ promptFeedback: { blockReason: "BLOCK_REASON_UNSPECIFIED" } }]))).toEqual([]);
  });

  it("is told in Google's words where it gives any", () => {
    expect(toldBy(golden("refusal")).refusal).toBe("The answer was stopped by a safety filter.");
    expect(toldBy(golden("malformed_call"))).toMatchObject({
      refusal: "Malformed function call: print(default_api.get_weather(city=Paris))",
      reason: "refused",
    });
  });
});

describe("a whole answer", () => {
  it("is over, whatever it says", () => {
    for (const body of [undefined, null, 7, "x", [], {}, { error: { code: 500 } }]) {
      expect(decoder().whole(body)).toEqual([
        { kind: "start", id: null, model: null },
        { kind: "finish", reason: "stop", stopSequence: null },
        { kind: "end" },
      ]);
    }
  });
});

describe("whatever an upstream may send", () => {
  const words = fc.constantFrom("text", "STOP", "SAFETY", "c2ln", "");
  const anything = fc.oneof(words, fc.jsonValue({ maxDepth: 2 }));
  const part = fc.record(
    {
      text: anything,
      thought: fc.oneof(fc.boolean(), anything),
      thoughtSignature: anything,
      functionCall: fc.oneof(anything, fc.record({ id: anything, name: anything, args: anything })),
      inlineData: fc.oneof(anything, fc.record({ mimeType: anything, data: anything })),
    },
    { requiredKeys: [] },
  );
  const message = fc.oneof(
    anything,
    fc.record(
      {
        candidates: fc.oneof(
          anything,
          fc.array(
            fc.record(
              {
                index: fc.oneof(fc.constant(0), anything),
                content: fc.oneof(
                  anything,
                  fc.record({ parts: fc.oneof(anything, fc.array(part, { maxLength: 4 })) }),
                ),
                finishReason: anything,
                finishMessage: anything,
              },
              { requiredKeys: [] },
            ),
            { maxLength: 2 },
          ),
        ),
        usageMetadata: fc.oneof(
          anything,
          fc.record({ promptTokenCount: anything, candidatesTokenCount: anything }),
        ),
        promptFeedback: fc.oneof(
          anything,
          fc.record({ blockReason: anything, blockReasonMessage: anything }),
        ),
        modelVersion: anything,
        responseId: anything,
        error: fc.oneof({ weight: 1, arbitrary: anything }, { weight: 5, arbitrary: fc.constant(undefined) }),
      },
      { requiredKeys: [] },
    ),
  );

  it("is read without failing, in the right order, and ends at most once", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (messages) => {
        const reader = decoder();
        const events = [...messages.flatMap((data) => reader.decode({ name: null, data })), ...reader.end()];
        toldBy(events);
        const indexes = events.flatMap((event) => (event.kind === "open" ? [event.index] : []));
        expect(indexes).toEqual(indexes.map((_, at) => at));
        for (const data of messages) toldBy(decoder().whole(data));
      }),
      { numRuns: 500 },
    );
  });

  it("may be nested without end", () => {
    const args: unknown = JSON.parse(`{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`);
    expect(toldBy(decoder().whole(candidate([{ functionCall: { name: "f", args } }]))).calls).toMatchObject([
      { name: "f", arguments: {} },
    ]);
  });
});
