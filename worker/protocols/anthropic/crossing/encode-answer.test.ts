import Anthropic from "@anthropic-ai/sdk";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { streamed } from "../../__fixtures__/crossing.ts";
import { answers, FACTS } from "../../__fixtures__/neutral-answers.ts";
import type { AnswerEvent, FinishReason } from "../../neutral.ts";
import { createEncoder } from "./encode-answer.ts";

const newEncoder = () => createEncoder(FACTS);

interface Sent {
  readonly type: string;
  readonly [field: string]: unknown;
}

const sentFor = (events: readonly AnswerEvent[]): Sent[] =>
  streamed(events, newEncoder())
    .split("\n\n")
    .filter((text) => text !== "")
    .map((text) => {
      const [name, data] = text.split("\n");
      const event = JSON.parse((data ?? "").slice("data: ".length)) as Sent;
      expect(name).toBe(`event: ${event.type}`);
      return event;
    });

const START: AnswerEvent = { kind: "start", id: "resp_1", model: "gpt-5.5-2026" };
const finish = (reason: FinishReason, stopSequence: string | null = null): AnswerEvent[] => [
  { kind: "finish", reason, stopSequence },
  { kind: "end" },
];
const USAGE = { input: 10, cacheRead: 4, cacheWrite: 3, output: 20, reasoning: 12 };

/** What Anthropic's own client makes of a stream. */
async function readBySdk(stream: string): Promise<Anthropic.Message> {
  const client = new Anthropic({
    apiKey: "none",
    maxRetries: 0,
    fetch: () => Promise.resolve(new Response(stream, { headers: { "content-type": "text/event-stream" } })),
  });
  return client.messages
    .stream({ model: FACTS.model, max_tokens: 10, messages: [{ role: "user", content: "Hi" }] })
    .finalMessage();
}

describe("createEncoder", () => {
  it("tells the client the model it asked for, and ids made of the call's", () => {
    expect(sentFor([START])).toEqual([
      {
        type: "message_start",
        message: expect.objectContaining({
          id: "msg_req_0123456789",
          type: "message",
          role: "assistant",
          model: "some-model",
          content: [],
          stop_reason: null,
          usage: expect.objectContaining({ input_tokens: 0, output_tokens: 0 }) as unknown,
        }) as unknown,
      },
    ]);
  });

  it("sends each piece at once, and the figures at the end, also those that come after the finish", () => {
    const encoder = newEncoder();
    encoder.encode(START);
    expect(encoder.encode({ kind: "open", index: 0, part: { kind: "text" } })).toContain(
      "content_block_start",
    );
    expect(encoder.encode({ kind: "delta", index: 0, text: "Hé" })).toBe(
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hé"}}\n\n',
    );
    expect(encoder.encode({ kind: "close", index: 0 })).toContain("content_block_stop");
    expect(encoder.encode({ kind: "finish", reason: "length", stopSequence: null })).toBe("");
    expect(encoder.encode({ kind: "usage", usage: USAGE })).toBe("");
    const end = encoder.encode({ kind: "end" });
    expect(end).toContain('"stop_reason":"max_tokens"');
    expect(end).toContain(
      '"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":4,"output_tokens":20,"output_tokens_details":{"thinking_tokens":12}',
    );
    expect(end.endsWith('event: message_stop\ndata: {"type":"message_stop"}\n\n')).toBe(true);
  });

  it.each<[FinishReason, string]>([
    ["stop", "end_turn"],
    ["stop_sequence", "stop_sequence"],
    ["length", "max_tokens"],
    ["tool_calls", "tool_use"],
    ["refused", "refusal"],
  ])("says %s as %s", (reason, stop_reason) => {
    const events = [START, ...finish(reason, reason === "stop_sequence" ? "END" : null)];
    const stop_sequence = reason === "stop_sequence" ? "END" : null;
    expect(sentFor(events).at(-2)).toMatchObject({ delta: { stop_reason, stop_sequence } });
    expect(JSON.parse(newEncoder().whole(events))).toMatchObject({ stop_reason, stop_sequence });
  });

  it("keeps calls apart that run side by side", () => {
    const events: AnswerEvent[] = [
      START,
      { kind: "open", index: 0, part: { kind: "tool_call", id: "a", name: "one" } },
      { kind: "open", index: 1, part: { kind: "tool_call", id: "b", name: "two" } },
      { kind: "delta", index: 1, text: '{"x"' },
      { kind: "delta", index: 0, text: "{}" },
      { kind: "delta", index: 1, text: ":1}" },
      { kind: "close", index: 0 },
      { kind: "close", index: 1 },
    ];
    const sent = sentFor(events).slice(1);
    expect(sent.map(({ type, index }) => `${type} ${String(index)}`)).toEqual([
      "content_block_start 0",
      "content_block_delta 0",
      "content_block_start 1",
      "content_block_delta 1",
      "content_block_delta 0",
      "content_block_stop 1",
      "content_block_stop 0",
    ]);
    expect(sent[0]).toMatchObject({ content_block: { type: "tool_use", id: "b", name: "two", input: {} } });
  });

  it("puts a call's signature into a block before it, or after it where it comes late", () => {
    const open: AnswerEvent = { kind: "open", index: 0, part: { kind: "tool_call", id: "a", name: "one" } };
    const signature: AnswerEvent = {
      kind: "signature",
      index: 0,
      signature: { origin: "gemini", data: "s" },
    };
    const delta: AnswerEvent = { kind: "delta", index: 0, text: "{}" };
    const close: AnswerEvent = { kind: "close", index: 0 };
    const blocks = (events: AnswerEvent[]) =>
      sentFor([START, ...events])
        .filter(({ type }) => type === "content_block_start")
        .map(({ content_block }) => (content_block as Sent).type);
    expect(blocks([open, signature, delta, close])).toEqual(["thinking", "tool_use"]);
    expect(blocks([open, delta, signature, close])).toEqual(["tool_use", "thinking"]);
    expect(blocks([open, close])).toEqual(["tool_use"]);
    expect(streamed([open, signature], newEncoder())).toContain(
      '{"type":"signature_delta","signature":"call:a:gemini#s"}',
    );
  });

  it("gives thinking, its signature and hidden thinking in this dialect's fields", () => {
    const events: AnswerEvent[] = [
      START,
      { kind: "open", index: 0, part: { kind: "thinking", redacted: false } },
      { kind: "delta", index: 0, text: "Hm." },
      { kind: "signature", index: 0, signature: { origin: "gemini", data: "s" } },
      { kind: "close", index: 0 },
      { kind: "open", index: 1, part: { kind: "thinking", redacted: true } },
      { kind: "signature", index: 1, signature: { origin: "openai-responses", data: "e" } },
      { kind: "close", index: 1 },
      { kind: "open", index: 2, part: { kind: "thinking", redacted: true } },
      { kind: "close", index: 2 },
    ];
    expect(sentFor(events).slice(1)).toEqual([
      {
        type: "content_block_start",
        index: 0,
        content_block: { type: "thinking", thinking: "", signature: "" },
      },
      { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Hm." } },
      { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "gemini#s" } },
      { type: "content_block_stop", index: 0 },
      {
        type: "content_block_start",
        index: 1,
        content_block: { type: "redacted_thinking", data: "openai-responses#e" },
      },
      { type: "content_block_stop", index: 1 },
    ]);
    expect(JSON.parse(newEncoder().whole([...events, ...finish("stop")]))).toMatchObject({
      content: [
        { type: "thinking", thinking: "Hm.", signature: "gemini#s" },
        { type: "redacted_thinking", data: "openai-responses#e" },
      ],
    });
  });

  it("says in words that there was a picture, and gives the words of a refusal as text", () => {
    const events: AnswerEvent[] = [
      START,
      { kind: "media", mediaType: "image/png", data: "A".repeat(8192) },
      { kind: "open", index: 0, part: { kind: "refusal" } },
      { kind: "delta", index: 0, text: "No." },
      { kind: "close", index: 0 },
      ...finish("refused"),
    ];
    const note = "[The model made a picture (image/png, 6 kB), which this protocol cannot show.]";
    expect(JSON.parse(newEncoder().whole(events))).toMatchObject({
      content: [
        { type: "text", text: note },
        { type: "text", text: "No." },
      ],
      stop_reason: "refusal",
    });
    expect(streamed(events, newEncoder())).toContain(note);
  });

  it("gives broken arguments of a whole answer as what they are", () => {
    const call = (text: string): AnswerEvent[] => [
      { kind: "open", index: 0, part: { kind: "tool_call", id: "a", name: "one" } },
      { kind: "delta", index: 0, text },
      { kind: "close", index: 0 },
    ];
    const inputOf = (text: string) =>
      (JSON.parse(newEncoder().whole(call(text))) as { content: [{ input: unknown }] }).content[0].input;
    expect(inputOf("")).toEqual({});
    expect(inputOf('{"a":')).toEqual({ arguments: '{"a":' });
    expect(inputOf("[1]")).toEqual({ arguments: [1] });
  });

  it.each([
    ["overloaded_error", "overloaded_error"],
    ["UNAVAILABLE", "overloaded_error"],
    ["rate_limit_exceeded", "rate_limit_error"],
    ["RESOURCE_EXHAUSTED", "rate_limit_error"],
    ["INVALID_ARGUMENT", "invalid_request_error"],
    ["server_error", "api_error"],
  ])("tells an error of type %s as %s", (type, expected) => {
    expect(sentFor([{ kind: "error", type, message: "Sorry." }])).toEqual([
      { type: "error", error: { type: expected, message: "Sorry." } },
    ]);
  });

  it("is read by Anthropic's own client as the whole answer would be", async () => {
    await fc.assert(
      fc.asyncProperty(answers, async (events) => {
        const read = await readBySdk(streamed(events, newEncoder()));
        const whole = JSON.parse(newEncoder().whole(events)) as Anthropic.Message;
        expect(JSON.parse(JSON.stringify(read))).toMatchObject(JSON.parse(JSON.stringify(whole)) as object);
      }),
      { numRuns: 30 },
    );
  });
});
