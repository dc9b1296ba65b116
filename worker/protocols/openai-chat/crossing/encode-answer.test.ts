import { describe, expect, it } from "vitest";
import { streamed } from "../../__fixtures__/crossing.ts";
import { FACTS } from "../../__fixtures__/neutral-answers.ts";
import type { AnswerEvent, FinishReason } from "../../neutral.ts";
import { callWith } from "./__fixtures__/calls.ts";
import { crossing } from "./index.ts";

type Fields = Readonly<Record<string, unknown>>;
type Chunk = {
  readonly choices: readonly { readonly delta: Fields; readonly finish_reason: string | null }[];
} & Fields;

const encoderFor = (fields: Fields = {}) => crossing.client.createEncoder(callWith(fields), FACTS);
const linesOf = (events: readonly AnswerEvent[], fields: Fields = {}) =>
  streamed(events, encoderFor(fields))
    .split("\n\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/^data: /, ""));
const chunksOf = (events: readonly AnswerEvent[], fields: Fields = {}) =>
  linesOf(events, fields)
    .filter((line) => line !== "[DONE]")
    .map((line) => JSON.parse(line) as Chunk);
const deltasOf = (events: readonly AnswerEvent[], fields: Fields = {}) =>
  chunksOf(events, fields).flatMap(({ choices }) => choices.map(({ delta }) => delta));
const wholeOf = (events: readonly AnswerEvent[], fields: Fields = {}) =>
  JSON.parse(encoderFor(fields).whole(events)) as {
    readonly choices: readonly [{ readonly message: Fields; readonly finish_reason: string | null }];
  } & Fields;

const START: AnswerEvent = { kind: "start", id: "msg_1", model: "claude-opus-5" };
const USAGE: AnswerEvent = {
  kind: "usage",
  usage: { input: 10, cacheRead: 20, cacheWrite: 5, output: 7, reasoning: 3 },
};
const finish = (reason: FinishReason): AnswerEvent => ({ kind: "finish", reason, stopSequence: null });
const END: AnswerEvent = { kind: "end" };

type Open = Extract<AnswerEvent, { kind: "open" }>["part"];
const part = (index: number, open: Open, ...pieces: readonly string[]): readonly AnswerEvent[] => [
  { kind: "open", index, part: open },
  ...pieces.map((text): AnswerEvent => ({ kind: "delta", index, text })),
  { kind: "close", index },
];
const CALLS: readonly AnswerEvent[] = [
  START,
  ...part(0, { kind: "text" }, "Looking."),
  ...part(1, { kind: "tool_call", id: "toolu_1", name: "look" }, '{"at"', ":1}"),
  ...part(2, { kind: "tool_call", id: "toolu_2", name: "now" }),
  USAGE,
  finish("tool_calls"),
  END,
];

describe("a stream", () => {
  it("begins with the role, ends with `[DONE]`, and is one answer throughout", () => {
    const events = [START, ...part(0, { kind: "text" }, "Hel", "lo."), USAGE, finish("stop"), END];
    const chunks = chunksOf(events);
    expect(deltasOf(events)).toEqual([
      { role: "assistant", content: "", refusal: null },
      { content: "Hel" },
      { content: "lo." },
      {},
    ]);
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason)).toEqual([null, null, null, "stop"]);
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({
        id: `chatcmpl-${FACTS.id}`,
        object: "chat.completion.chunk",
        created: 1_790_000_000,
        model: FACTS.model,
      });
      expect(chunk).not.toHaveProperty("usage");
    }
    expect(linesOf(events).at(-1)).toBe("[DONE]");
  });

  it("says each piece at once", () => {
    const encoder = encoderFor();
    expect(encoder.streamType).toBe("text/event-stream");
    const sent = [START, ...part(0, { kind: "text" }, "a", "b")].map((event) => encoder.encode(event));
    expect(sent.map((piece) => piece.split("\n\n").length - 1)).toEqual([1, 0, 1, 1, 0]);
  });

  it("tells usage in a chunk without choices, to those who ask", () => {
    const chunks = chunksOf([START, USAGE, finish("stop"), END], { stream_options: { include_usage: true } });
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: {
        prompt_tokens: 35,
        completion_tokens: 7,
        total_tokens: 42,
        prompt_tokens_details: { cached_tokens: 20, cache_write_tokens: 5 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
    });
    for (const chunk of chunks.slice(0, -1)) expect(chunk).toHaveProperty("usage", null);
  });

  it("counts calls from 0, and gives arguments to those that have none", () => {
    const calls = deltasOf(CALLS).flatMap(({ tool_calls }) => (tool_calls === undefined ? [] : [tool_calls]));
    const begun = (index: number, id: string, name: string) => [
      { index, id, type: "function", function: { name, arguments: "" } },
    ];
    expect(calls).toEqual([
      begun(0, "toolu_1", "look"),
      [{ index: 0, function: { arguments: '{"at"' } }],
      [{ index: 0, function: { arguments: ":1}" } }],
      begun(1, "toolu_2", "now"),
      [{ index: 1, function: { arguments: "{}" } }],
    ]);
  });

  it("has calls in the older form for those who asked in it", () => {
    const fields = { functions: [{ name: "look" }] };
    const calls = deltasOf(CALLS, fields).flatMap(({ function_call }) =>
      function_call ? [function_call] : [],
    );
    expect(calls).toEqual([{ name: "look", arguments: "" }, { arguments: '{"at"' }, { arguments: ":1}" }]);
    expect(chunksOf(CALLS, fields).at(-1)?.choices[0]?.finish_reason).toBe("function_call");
  });

  it("shows reasoning, and then what the client should send back of it", () => {
    const signed = (index: number): AnswerEvent => ({
      kind: "signature",
      index,
      signature: { origin: "anthropic", data: `sig${String(index)}` },
    });
    const [open, one, two, close] = part(0, { kind: "thinking", redacted: false }, "H", "m.");
    const [hidden, gone] = part(1, { kind: "thinking", redacted: true });
    const events = [START, open, one, two, signed(0), close, hidden, signed(1), gone].filter(
      (e) => e !== undefined,
    );
    expect(deltasOf(events).slice(1)).toEqual([
      { reasoning_content: "H" },
      { reasoning_content: "m." },
      { reasoning_details: [{ type: "reasoning.text", text: "Hm.", signature: "anthropic#sig0", index: 0 }] },
      { reasoning_details: [{ type: "reasoning.encrypted", data: "anthropic#sig1", index: 1 }] },
    ]);
    expect(wholeOf(events).choices[0].message).toMatchObject({
      reasoning_content: "Hm.",
      reasoning_details: [
        { type: "reasoning.text", text: "Hm.", signature: "anthropic#sig0", index: 0 },
        { type: "reasoning.encrypted", data: "anthropic#sig1", index: 1 },
      ],
    });
  });

  it.each([
    ["gemini" as const, { google: { thought_signature: "CpcB" } }],
    ["anthropic" as const, { edge_relay: { signature: "anthropic#CpcB" } }],
  ])("signs calls: %s", (origin, extra_content) => {
    const [open, close] = part(0, { kind: "tool_call", id: "a", name: "f" });
    const signature: AnswerEvent = { kind: "signature", index: 0, signature: { origin, data: "CpcB" } };
    const events = [START, open, signature, close].filter((event) => event !== undefined);
    expect(deltasOf(events)).toContainEqual({ tool_calls: [{ index: 0, extra_content }] });
    expect(wholeOf(events).choices[0].message["tool_calls"]).toEqual([
      { id: "a", type: "function", function: { name: "f", arguments: "{}" }, extra_content },
    ]);
  });

  it("shows refusals and pictures in their own fields", () => {
    const picture: AnswerEvent = { kind: "media", mediaType: "image/png", data: "iVBO" };
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,iVBO" } };
    const events = [START, ...part(0, { kind: "refusal" }, "No."), picture, finish("refused"), END];
    expect(deltasOf(events).slice(1)).toEqual([{ refusal: "No." }, { images: [image] }, {}]);
    expect(wholeOf(events).choices[0]).toMatchObject({
      message: { content: null, refusal: "No.", images: [image] },
      finish_reason: "content_filter",
    });
  });

  it("ends with an error and nothing behind it", () => {
    expect(
      linesOf([START, { kind: "error", type: "overloaded_error", message: "Overloaded." }]).slice(1),
    ).toEqual(['{"error":{"message":"Overloaded.","type":"overloaded_error","code":null,"param":null}}']);
  });
});

describe("a complete answer", () => {
  it("has all that was said", () => {
    expect(wholeOf(CALLS)).toEqual({
      id: `chatcmpl-${FACTS.id}`,
      object: "chat.completion",
      created: 1_790_000_000,
      model: FACTS.model,
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: "Looking.",
            refusal: null,
            tool_calls: [
              { id: "toolu_1", type: "function", function: { name: "look", arguments: '{"at":1}' } },
              { id: "toolu_2", type: "function", function: { name: "now", arguments: "{}" } },
            ],
          },
          logprobs: null,
          finish_reason: "tool_calls",
        },
      ],
      usage: expect.objectContaining({ prompt_tokens: 35, completion_tokens: 7 }) as unknown,
    });
  });

  it("has the older form for those who asked in it", () => {
    expect(wholeOf(CALLS, { functions: [{ name: "look" }] }).choices[0]).toMatchObject({
      message: { function_call: { name: "look", arguments: '{"at":1}' } },
      finish_reason: "function_call",
    });
  });

  it("may be empty", () => {
    expect(wholeOf([]).choices[0]).toMatchObject({ message: { content: "" }, finish_reason: null });
  });

  it.each([
    ["stop", "stop"],
    ["stop_sequence", "stop"],
    ["length", "length"],
    ["tool_calls", "tool_calls"],
    ["refused", "content_filter"],
  ] as const)("ends for %s with %s", (reason, word) => {
    const events = [START, finish(reason), END];
    expect(wholeOf(events).choices[0].finish_reason).toBe(word);
    expect(chunksOf(events).at(-1)?.choices[0]?.finish_reason).toBe(word);
  });
});
