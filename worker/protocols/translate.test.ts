import { describe, expect, it } from "vitest";
import type { AnswerEvent } from "./neutral.ts";
import { boundText, readBound } from "./neutral.ts";
import { StreamTranslator, running, type AnswerDecoder, type AnswerEncoder } from "./translate.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);

/** A dialect in which every event is a delta with its own data as text. */
const decoder: AnswerDecoder = {
  decode: ({ data }) => [{ kind: "delta", index: 0, text: JSON.stringify(data) }],
  end: () => [{ kind: "end" }],
  whole: () => [],
};
const encoder: AnswerEncoder = {
  streamType: "text/event-stream",
  encode: (event: AnswerEvent) => (event.kind === "delta" ? `<${event.text}>` : `[${event.kind}]`),
  whole: () => "{}",
};

describe("StreamTranslator", () => {
  it("says what an event means as soon as it is whole, and not before", () => {
    const translator = new StreamTranslator(decoder, encoder);
    expect(text(translator.push(bytes('data: {"a":1}\n\ndata: {"b"')))).toBe('<{"a":1}>');
    expect(text(translator.push(bytes(":2}\n")))).toBe("");
    expect(text(translator.push(bytes("\n")))).toBe('<{"b":2}>');
    expect(text(translator.end())).toBe("[end]");
  });

  it("passes over what is not JSON", () => {
    const translator = new StreamTranslator(decoder, encoder);
    expect(text(translator.push(bytes("data: {broken\n\ndata: [DONE]\n\n")))).toBe('<"[DONE]">');
  });
});

describe("running", () => {
  it("hands the state from step to step", () => {
    const counter = running(0, (state: number, input: number) => [state + input, [state + input]] as const);
    expect([counter.push(2), counter.push(3)]).toEqual([[2], [5]]);
    expect(counter.state).toBe(5);
  });
});

describe("what only one dialect can read", () => {
  it("is as it was in its own, and says where it is from in any other", () => {
    const bound = { origin: "gemini", data: "c2ln" } as const;
    expect(boundText(bound, "gemini")).toBe("c2ln");
    expect(readBound(boundText(bound, "anthropic"), "anthropic")).toEqual(bound);
    expect(readBound("c2ln", "anthropic")).toEqual({ origin: "anthropic", data: "c2ln" });
  });
});
