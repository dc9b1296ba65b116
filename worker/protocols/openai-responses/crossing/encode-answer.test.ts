import { describe, expect, it } from "vitest";
import { clientCall, readStream, streamed } from "../../__fixtures__/crossing.ts";
import { FACTS, toldBy } from "../../__fixtures__/neutral-answers.ts";
import type { AnswerEvent, OpenPart } from "../../neutral.ts";
import { toolNames } from "../../tool-names.ts";
import { GOLDEN_ANSWERS } from "./__fixtures__/answers.ts";
import { createDecoder } from "./decode-answer.ts";
import { createEncoder } from "./encode-answer.ts";

type Json = Readonly<Record<string, unknown>>;

const TOOLS = [
  { type: "function", name: "get_weather", parameters: {} },
  { type: "custom", name: "apply_patch", description: "Patches." },
  {
    type: "namespace",
    name: "agents",
    description: "Other agents.",
    tools: [
      { type: "function", name: "spawn" },
      { type: "custom", name: "say" },
    ],
  },
  { type: "tool_search", execution: "client", description: "Finds tools.", parameters: {} },
];
const encoder = () =>
  createEncoder(clientCall("/v1/responses", { model: "some-model", input: "Hi", tools: TOOLS }), FACTS);

const part = (index: number, opened: OpenPart, ...pieces: readonly string[]): AnswerEvent[] => [
  { kind: "open", index, part: opened },
  ...pieces.map((text): AnswerEvent => ({ kind: "delta", index, text })),
  { kind: "close", index },
];
const calls = (name: string, ...pieces: readonly string[]) =>
  part(0, { kind: "tool_call", id: "call_1", name }, ...pieces);
const ended = (reason: "stop" | "length" | "refused" | "tool_calls" = "stop"): AnswerEvent[] => [
  { kind: "finish", reason, stopSequence: null },
  { kind: "end" },
];
const START: AnswerEvent = { kind: "start", id: "upstream", model: "upstream-model" };
const USAGE: AnswerEvent = {
  kind: "usage",
  usage: { input: 30, cacheRead: 60, cacheWrite: 10, output: 42, reasoning: 30 },
};

/** The events of a stream, parsed. */
const wire = (events: readonly AnswerEvent[]): readonly (Json & { readonly type: string })[] =>
  streamed(events, encoder())
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => {
      const [name = "", data = ""] = event.split("\n");
      const parsed = JSON.parse(data.replace("data: ", "")) as Json & { readonly type: string };
      expect(name).toBe(`event: ${parsed.type}`);
      return parsed;
    });
const typesOf = (events: readonly Json[]) => events.map(({ type }) => String(type).replace("response.", ""));
/** What was said between the beginning and the end. */
const middle = (events: readonly AnswerEvent[]) =>
  wire([START, ...events, ...ended()])
    .slice(2, -1)
    .map(({ sequence_number: _, ...event }) => event);
const whole = (events: readonly AnswerEvent[]) => JSON.parse(encoder().whole(events)) as Json;
const itemsOf = (events: readonly AnswerEvent[]) => whole([START, ...events, ...ended()])["output"];

describe("createEncoder", () => {
  it("tells text with every event that OpenAI has for it, in order and numbered", () => {
    const events = wire([START, ...part(0, { kind: "text" }, "Hel", "lo"), USAGE, ...ended()]);
    expect(typesOf(events)).toEqual([
      "created",
      "in_progress",
      "output_item.added",
      "content_part.added",
      "output_text.delta",
      "output_text.delta",
      "output_text.done",
      "content_part.done",
      "output_item.done",
      "completed",
    ]);
    expect(events.map((event) => event["sequence_number"])).toEqual(events.map((_, index) => index));
    const id = "msg_req_0123456789_0";
    const item = { id, type: "message", status: "completed", role: "assistant" };
    const content = [{ type: "output_text", text: "Hello", annotations: [], logprobs: [] }];
    expect(events[2]).toMatchObject({
      output_index: 0,
      item: { ...item, status: "in_progress", content: [] },
    });
    expect(events[4]).toMatchObject({ item_id: id, output_index: 0, content_index: 0, delta: "Hel" });
    expect(events[6]).toMatchObject({ item_id: id, text: "Hello" });
    expect(events.at(-1)).toMatchObject({
      response: {
        id: "resp_req_0123456789",
        object: "response",
        created_at: 1_790_000_000,
        status: "completed",
        model: "some-model",
        output: [{ ...item, content }],
        usage: {
          input_tokens: 100,
          input_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
          output_tokens: 42,
          output_tokens_details: { reasoning_tokens: 30 },
          total_tokens: 142,
        },
      },
    });
  });

  it("sends every piece at once", () => {
    const out = encoder();
    expect(out.encode(START)).toContain("response.created");
    expect(out.encode({ kind: "open", index: 0, part: { kind: "text" } })).toContain("content_part.added");
    expect(out.encode({ kind: "delta", index: 0, text: "Hel" })).toMatch(
      /^event: .*\ndata: .*"delta":"Hel".*\n\n$/,
    );
  });

  it("tells thinking as one summary, with what signs it in the encrypted content", () => {
    const events: AnswerEvent[] = [
      { kind: "open", index: 0, part: { kind: "thinking", redacted: false } },
      { kind: "delta", index: 0, text: "Let me see." },
      { kind: "signature", index: 0, signature: { origin: "anthropic", data: "sig==" } },
      { kind: "close", index: 0 },
    ];
    const item = {
      id: "rs_req_0123456789_0",
      type: "reasoning",
      summary: [{ type: "summary_text", text: "Let me see." }],
      encrypted_content: "anthropic#sig==",
    };
    const told = middle(events);
    expect(typesOf(told)).toEqual([
      "output_item.added",
      "reasoning_summary_part.added",
      "reasoning_summary_text.delta",
      "reasoning_summary_text.done",
      "reasoning_summary_part.done",
      "output_item.done",
    ]);
    expect(told.at(-1)).toMatchObject({ item });
    expect(itemsOf(events)).toEqual([item]);
  });

  it("tells hidden thinking as an item without a summary, and thinking without text as one with an empty one", () => {
    const signed = (redacted: boolean): AnswerEvent[] => [
      { kind: "open", index: 0, part: { kind: "thinking", redacted } },
      { kind: "signature", index: 0, signature: { origin: "anthropic", data: "sig" } },
      { kind: "close", index: 0 },
    ];
    expect(itemsOf(signed(true))).toMatchObject([{ summary: [], encrypted_content: "anthropic#sig" }]);
    expect(itemsOf(signed(false))).toMatchObject([{ summary: [{ type: "summary_text", text: "" }] }]);
  });

  it("tells a call with its pieces", () => {
    const told = middle(calls("get_weather", '{"city":', '"Rome"}'));
    const place = { item_id: "fc_req_0123456789_0", output_index: 0 };
    const item = { type: "function_call", status: "completed", call_id: "call_1", name: "get_weather" };
    expect(told.slice(1)).toEqual([
      { type: "response.function_call_arguments.delta", ...place, delta: '{"city":' },
      { type: "response.function_call_arguments.delta", ...place, delta: '"Rome"}' },
      {
        type: "response.function_call_arguments.done",
        ...place,
        name: "get_weather",
        arguments: '{"city":"Rome"}',
      },
      {
        type: "response.output_item.done",
        output_index: 0,
        item: { id: place.item_id, ...item, arguments: '{"city":"Rome"}' },
      },
    ]);
    expect(told[0]).toMatchObject({ item: { ...item, status: "in_progress", arguments: "" } });
  });

  it("gives a call without arguments an empty object", () => {
    expect(middle(calls("get_weather"))[1]).toMatchObject({ delta: "{}" });
    expect(itemsOf(calls("get_weather"))).toMatchObject([{ arguments: "{}" }]);
  });

  it("tells a call of a tool in a namespace by both of its names", () => {
    expect(itemsOf(calls("agents__spawn", "{}"))).toMatchObject([
      { type: "function_call", namespace: "agents", name: "spawn", arguments: "{}" },
    ]);
  });

  it("tells a free-form call with the plain text, as it comes", () => {
    const told = middle(calls("apply_patch", '{"input":"*** Begin\\', "nPatch", '"}'));
    expect(typesOf(told)).toEqual([
      "output_item.added",
      "custom_tool_call_input.delta",
      "custom_tool_call_input.delta",
      "custom_tool_call_input.done",
      "output_item.done",
    ]);
    expect(told.map((event) => ("delta" in event ? event.delta : ""))).toEqual([
      "",
      "*** Begin",
      "\nPatch",
      "",
      "",
    ]);
    expect(told[3]).toMatchObject({ input: "*** Begin\nPatch" });
    expect(told.at(-1)).toEqual({
      type: "response.output_item.done",
      output_index: 0,
      item: {
        id: "ctc_req_0123456789_0",
        type: "custom_tool_call",
        status: "completed",
        call_id: "call_1",
        name: "apply_patch",
        input: "*** Begin\nPatch",
      },
    });
    expect(itemsOf(calls("agents__say", '{"input":"Hi"}'))).toMatchObject([
      { type: "custom_tool_call", namespace: "agents", name: "say", input: "Hi" },
    ]);
  });

  it("tells a search for tools, which the client runs, as one item", () => {
    const told = middle(calls("tool_search", '{"query":', '"mail"}'));
    expect(typesOf(told)).toEqual(["output_item.added", "output_item.done"]);
    expect(told[1]).toMatchObject({
      item: {
        type: "tool_search_call",
        call_id: "call_1",
        execution: "client",
        arguments: { query: "mail" },
      },
    });
    expect(itemsOf(calls("tool_search", "{broken"))).toMatchObject([{ arguments: {} }]);
  });

  it("keeps calls that run side by side apart, in the order in which they began", () => {
    const call = (index: number): AnswerEvent => ({
      kind: "open",
      index,
      part: { kind: "tool_call", id: `call_${String(index)}`, name: "get_weather" },
    });
    const more = (index: number, text: string): AnswerEvent => ({ kind: "delta", index, text });
    const events = [call(0), call(1), more(1, '{"b":1}'), more(0, '{"a":1}')];
    const closed: AnswerEvent[] = [
      { kind: "close", index: 1 },
      { kind: "close", index: 0 },
    ];
    expect(itemsOf([...events, ...closed])).toMatchObject([
      { call_id: "call_0", arguments: '{"a":1}' },
      { call_id: "call_1", arguments: '{"b":1}' },
    ]);
  });

  it("puts what signs a call into a reasoning item that comes back with it", () => {
    const [open, ...rest] = calls("get_weather", "{}");
    if (open === undefined) throw new Error("no events");
    const signature = { kind: "signature", index: 0, signature: { origin: "gemini", data: "sig" } } as const;
    const events = [open, signature, ...rest];
    expect(itemsOf(events)).toMatchObject([
      { type: "function_call" },
      { type: "reasoning", summary: [], encrypted_content: "call:call_1#gemini#sig" },
    ]);
    expect(typesOf(middle(events)).slice(0, 3)).toEqual([
      "output_item.added",
      "output_item.added",
      "output_item.done",
    ]);
  });

  it("tells a picture as one that was generated", () => {
    expect(itemsOf([{ kind: "media", mediaType: "image/webp", data: "AAAA" }])).toEqual([
      {
        id: "ig_req_0123456789_0",
        type: "image_generation_call",
        status: "completed",
        output_format: "webp",
        result: "AAAA",
      },
    ]);
  });

  it("tells a refusal in the model's own words as a complete answer", () => {
    const events = [START, ...part(0, { kind: "refusal" }, "I ", "won't."), ...ended("refused")];
    expect(typesOf(wire(events))).toEqual([
      "created",
      "in_progress",
      "output_item.added",
      "content_part.added",
      "refusal.delta",
      "refusal.delta",
      "refusal.done",
      "content_part.done",
      "output_item.done",
      "completed",
    ]);
    expect(whole(events)).toMatchObject({
      status: "completed",
      output: [{ content: [{ type: "refusal", refusal: "I won't." }] }],
    });
  });

  it.each([
    ["length", "max_output_tokens"],
    ["refused", "content_filter"],
  ] as const)("tells an answer that ended with %j as incomplete", (reason, told) => {
    const events = [START, ...part(0, { kind: "text" }, "Once"), ...ended(reason)];
    const response = { status: "incomplete", incomplete_details: { reason: told } };
    expect(wire(events).at(-1)).toMatchObject({ type: "response.incomplete", response });
    expect(whole(events)).toMatchObject(response);
  });

  it.each(["stop", "tool_calls"] as const)("tells an answer that ended with %j as complete", (reason) => {
    expect(wire([START, ...ended(reason)]).at(-1)).toMatchObject({ response: { incomplete_details: null } });
  });

  it("tells an error as the answer's failure, with what was said before", () => {
    const events = wire([
      START,
      ...part(0, { kind: "text" }, "Once"),
      { kind: "error", type: "overloaded_error", message: "Overloaded." },
    ]);
    expect(events.at(-1)).toMatchObject({
      type: "response.failed",
      response: {
        status: "failed",
        error: { code: "overloaded_error", message: "Overloaded." },
        output: [{ type: "message" }],
      },
    });
  });

  it("begins an answer whose first word is an error", () => {
    expect(typesOf(wire([{ kind: "error", type: "api_error", message: "No." }]))).toEqual([
      "created",
      "in_progress",
      "failed",
    ]);
  });

  it("does not end an answer that was cut", () => {
    expect(typesOf(wire([START, ...part(0, { kind: "text" }, "Once")]))).not.toContain("completed");
  });

  it.each(GOLDEN_ANSWERS.filter(({ whole: body }) => body !== null))(
    "tells $name so that it is understood as it was meant",
    ({ stream, whole: body }) => {
      const decoder = () => createDecoder(toolNames([]));
      const meant = toldBy(readStream(stream, decoder()));
      expect(toldBy(readStream(streamed(readStream(stream, decoder()), encoder()), decoder()))).toEqual(
        meant,
      );
      const events = decoder().whole(body);
      expect(toldBy(decoder().whole(JSON.parse(encoder().whole(events))))).toEqual(meant);
    },
  );
});
