import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readStream, streamed } from "../../__fixtures__/crossing.ts";
import { FACTS, answers, toldBy } from "../../__fixtures__/neutral-answers.ts";
import { BARE_REQUEST, type AnswerEvent } from "../../neutral.ts";
import { GOLDEN_ANSWERS } from "./__fixtures__/answers.ts";
import { crossing } from "./index.ts";
import { callWith } from "./__fixtures__/calls.ts";

const decoderFor = (change: Partial<typeof BARE_REQUEST> = {}) =>
  crossing.upstream.encodeRequest({ ...BARE_REQUEST, model: "m", turns: [], ...change }).createDecoder(FACTS);

const golden = (name: string) => {
  const found = GOLDEN_ANSWERS.find((answer) => answer.name === name);
  if (found === undefined) throw new Error(`no answer ${name}`);
  return found;
};

const chunk = (delta: unknown, finish: string | null = null, more: object = {}) => ({
  id: "c1",
  model: "m",
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...more,
});
const events = (...chunks: readonly unknown[]) => {
  const decoder = decoderFor();
  return [...chunks.flatMap((data) => decoder.decode({ name: null, data })), ...decoder.end()];
};
const told = (...chunks: readonly unknown[]) => toldBy(events(...chunks));
const calls = (...list: readonly unknown[]) => chunk({ tool_calls: list });

const signatures = (list: readonly AnswerEvent[]) =>
  list.flatMap((event) => (event.kind === "signature" ? [event.signature] : []));

describe("golden answers", () => {
  it.each(GOLDEN_ANSWERS.map(({ name }) => name))("mean the same for every slicing: %s", (name) => {
    const { stream } = golden(name);
    const whole = readStream(stream, decoderFor());
    for (const size of [1, 2, 3, 7, 64]) expect(readStream(stream, decoderFor(), size)).toEqual(whole);
  });

  it.each(GOLDEN_ANSWERS.filter(({ whole }) => whole !== null).map(({ name }) => name))(
    "mean the same streamed and whole: %s",
    (name) => {
      const { stream, whole } = golden(name);
      const [asStream, asWhole] = [readStream(stream, decoderFor()), decoderFor().whole(whole)];
      expect(toldBy(asWhole)).toEqual(toldBy(asStream));
      expect(signatures(asWhole)).toEqual(signatures(asStream));
    },
  );

  it("tells text with what was read from the cache and thought", () => {
    expect(toldBy(readStream(golden("text").stream, decoderFor()))).toMatchObject({
      text: "Grüße, 世界 😀.",
      reason: "stop",
      usage: { input: 176, cacheRead: 1_024, cacheWrite: 0, output: 42, reasoning: 16 },
      ended: true,
      error: null,
    });
  });

  it("tells reasoning, and which field its upstream wants it back in", () => {
    const all = readStream(golden("thinking").stream, decoderFor());
    expect(toldBy(all)).toMatchObject({
      thinking: "Nine elevens are 99.",
      text: "It is 99.",
      usage: { input: 44, cacheRead: 256, output: 80, reasoning: 60 },
    });
    expect(signatures(all)).toEqual([{ origin: "openai-chat", data: "reasoning_content" }]);
  });

  it("tells parallel calls, the first closed when the second opens", () => {
    const all = readStream(golden("tool_calls").stream, decoderFor());
    expect(toldBy(all)).toMatchObject({
      text: "I shall look at both.",
      calls: [
        { id: "call_VSzy1OPQwT3nJ6Nj2mTxl3Rk", name: "get_weather", arguments: { city: "Rēzekne" } },
        { id: "call_4gAqpl0bYJ4f0nXB2eYhN1yD", name: "get_time", arguments: {} },
      ],
      reason: "tool_calls",
    });
    const order = all.flatMap((e) =>
      e.kind === "open" || e.kind === "close" ? [`${e.kind} ${String(e.index)}`] : [],
    );
    expect(order).toEqual(["open 0", "close 0", "open 1", "close 1", "open 2", "close 2"]);
  });

  it("tells refusals by their text or by the filter's word", () => {
    expect(toldBy(readStream(golden("refusal").stream, decoderFor()))).toMatchObject({
      refusal: "I cannot help with that.",
      text: "",
      reason: "refused",
    });
    expect(toldBy(readStream(golden("filtered").stream, decoderFor())).reason).toBe("refused");
  });

  it("tells that the answer was cut at its longest", () => {
    expect(toldBy(readStream(golden("length").stream, decoderFor()))).toMatchObject({
      text: "Once upon a",
      reason: "length",
    });
  });

  it("ends with the upstream's error", () => {
    const all = readStream(golden("error").stream, decoderFor());
    expect(all.at(-1)).toEqual({
      kind: "error",
      type: "server_error",
      message: "The server had an error while processing your request. Sorry about that!",
    });
    expect(toldBy(all)).toMatchObject({ text: "Let me", reason: null });
  });

  it("keeps what Google signs a call with as it came", () => {
    const all = readStream(golden("signed").stream, decoderFor());
    expect(toldBy(all)).toMatchObject({ reason: "tool_calls", ended: true });
    expect(signatures(all)).toEqual([
      { origin: "openai-chat", data: '{"google":{"thought_signature":"CpcBAdHtim8x=="}}' },
    ]);
  });

  it("takes reasoning that comes in two fields once, with its signature", () => {
    const all = readStream(golden("detailed").stream, decoderFor());
    expect(toldBy(all)).toMatchObject({ thinking: "Add them.", text: "Five." });
    expect(signatures(all).map(({ data }) => JSON.parse(data) as unknown)).toEqual([
      { type: "reasoning.text", signature: "ErUBCkYIBx", format: "anthropic-claude-v1", index: 0 },
    ]);
  });

  it("tells pictures", () => {
    const all = readStream(golden("picture").stream, decoderFor());
    expect(all).toContainEqual({ kind: "media", mediaType: "image/png", data: "iVBORw0KGgo=" });
    expect(toldBy(all)).toMatchObject({ media: 1, text: "Here it is:" });
  });
});

describe("the end of an answer", () => {
  it("is not told of a stream that was cut", () => {
    expect(events(chunk({ content: "half" })).map(({ kind }) => kind)).toEqual(["start", "open", "delta"]);
  });

  it("is told without `[DONE]` where there was a reason for it, with usage that came behind", () => {
    const all = events(chunk({ content: "x" }, "stop"), {
      choices: [],
      usage: { prompt_tokens: 3, completion_tokens: 1 },
    });
    expect(all.slice(-4).map(({ kind }) => kind)).toEqual(["usage", "close", "finish", "end"]);
    expect(toldBy(all)).toMatchObject({ reason: "stop", usage: { input: 3, output: 1 }, ended: true });
  });

  it("is told once, whatever follows", () => {
    const all = events(chunk({ content: "x" }, "stop"), "[DONE]", "[DONE]", chunk({ content: "y" }), {
      error: {},
    });
    expect(all.filter(({ kind }) => kind === "end")).toHaveLength(1);
    expect(toldBy(all)).toMatchObject({ text: "x", error: null });
  });

  it.each([
    ["stop", "stop"],
    ["length", "length"],
    ["model_length", "length"],
    ["content_filter", "refused"],
    ["SAFETY", "refused"],
    ["some_new_word", "stop"],
    // Without a call there is none to run.
    ["tool_calls", "stop"],
  ])("is %s for %s", (word, reason) => {
    expect(told(chunk({ content: "x" }, word), "[DONE]").reason).toBe(reason);
  });

  it.each(["tool_calls", "function_call", "stop"])(
    "is for the calls that were made, under the word %s",
    (word) => {
      const call = { index: 0, id: "a", function: { name: "f", arguments: "{}" } };
      expect(told(chunk({ tool_calls: [call] }, word), "[DONE]").reason).toBe("tool_calls");
    },
  );

  it.each(["error", "insufficient_system_resource"])("is an error for %s", (word) => {
    expect(told(chunk({ content: "x" }, word), "[DONE]")).toMatchObject({
      error: `The upstream broke off: ${word}.`,
      reason: null,
    });
  });

  it("names the stop sequence where the upstream does, and the client had asked for it", () => {
    const last = { choices: [{ index: 0, delta: {}, finish_reason: "stop", stop_reason: "END" }] };
    const read = (stop: readonly string[]) => {
      const decoder = decoderFor({ stop });
      return [last, "[DONE]"].flatMap((data) => decoder.decode({ name: null, data }));
    };
    expect(read(["END"])).toContainEqual({ kind: "finish", reason: "stop_sequence", stopSequence: "END" });
    expect(read(["###"])).toContainEqual({ kind: "finish", reason: "stop", stopSequence: null });
  });
});

describe("errors", () => {
  it.each([
    [
      { error: { message: "Slow down.", type: "requests", code: "rate_limit_exceeded" } },
      "rate_limit_exceeded",
      "Slow down.",
    ],
    [{ error: "It broke." }, "server_error", "It broke."],
    [
      { object: "error", message: "CUDA out of memory.", type: "InternalServerError" },
      "InternalServerError",
      "CUDA out of memory.",
    ],
    [{ error: { code: 502 } }, "server_error", "The upstream reported an error and did not say which."],
  ])("are told in any form: %j", (data, type, message) => {
    expect(events(data)).toEqual([{ kind: "error", type, message }]);
    expect(decoderFor().whole(data)).toEqual([{ kind: "error", type, message }]);
  });

  it("may lie in the choice", () => {
    const choice = {
      index: 0,
      delta: {},
      finish_reason: "error",
      error: { code: 429, message: "Slow down." },
    };
    expect(told({ choices: [choice] }).error).toBe("Slow down.");
  });

  it("are told by the event's name alone", () => {
    expect(decoderFor().decode({ name: "error", data: { message: "No." } })).toEqual([
      { kind: "error", type: "server_error", message: "No." },
    ]);
  });
});

describe("calls", () => {
  const f = (args: string) => ({ name: "f", arguments: args });

  it("need no index: an id or a name begins one, and what has neither goes on", () => {
    const { calls: list } = told(
      calls({ id: "a", function: f('{"x"') }),
      calls({ function: { arguments: ":1}" } }),
      calls({ id: "b", function: f("") }),
      calls({ id: "b", function: { arguments: '{"x":2}' } }),
      "[DONE]",
    );
    expect(list).toEqual([
      { id: "a", name: "f", arguments: { x: 1 } },
      { id: "b", name: "f", arguments: { x: 2 } },
    ]);
  });

  it("may all have the same index", () => {
    const { calls: list } = told(
      calls({ index: 0, id: "a", function: f("{}") }, { index: 0, id: "b", function: f('{"x":2}') }),
      "[DONE]",
    );
    expect(list.map(({ id }) => id)).toEqual(["a", "b"]);
  });

  it("are not begun again by an id or a name that is repeated, or by an empty id", () => {
    const { calls: list } = told(
      calls({ index: 0, id: "a", function: f('{"x"') }),
      calls({ index: 0, id: "a", function: f(":1") }),
      calls({ index: 0, id: "", function: { name: "", arguments: "}" } }),
      "[DONE]",
    );
    expect(list).toEqual([{ id: "a", name: "f", arguments: { x: 1 } }]);
  });

  it("may be told side by side", () => {
    const { calls: list } = told(
      calls({ index: 0, id: "a", function: f("") }, { index: 1, id: "b", function: f("") }),
      calls({ index: 1, function: { arguments: '{"y"' } }),
      calls({ index: 0, function: { arguments: '{"x":"}' } }),
      calls({ index: 1, function: { arguments: ":2}" } }),
      calls({ index: 0, function: { arguments: '{"}' } }),
      "[DONE]",
    );
    expect(list).toEqual([
      { id: "a", name: "f", arguments: { x: "}{" } },
      { id: "b", name: "f", arguments: { y: 2 } },
    ]);
  });

  it("wait for their name, and get an id where they have none", () => {
    const all = events(
      calls({ index: 0, function: { arguments: '{"x":' } }),
      calls({ index: 0, function: f("1}") }),
      "[DONE]",
    );
    expect(toldBy(all).calls).toEqual([{ id: `call_${FACTS.id}_0`, name: "f", arguments: { x: 1 } }]);
  });

  it("may have their arguments as an object, or come in the older form", () => {
    expect(told(calls({ id: "a", function: { name: "f", arguments: { x: 1 } } }), "[DONE]").calls).toEqual([
      { id: "a", name: "f", arguments: { x: 1 } },
    ]);
    const legacy = [{ name: "f", arguments: "" }, { arguments: '{"x":1}' }];
    expect(
      told(...legacy.map((call) => chunk({ function_call: call })), chunk({}, "function_call")),
    ).toMatchObject({
      calls: [{ name: "f", arguments: { x: 1 } }],
      reason: "tool_calls",
    });
  });

  it("have the names that the client knows", () => {
    const name = `mcp__server__${"tool_".repeat(20)}`;
    const tool = { name, description: null, parameters: {}, strict: null, cache: null };
    const request = crossing.upstream.encodeRequest({
      ...BARE_REQUEST,
      model: "m",
      turns: [],
      tools: [tool],
    });
    const [sent] = request.body["tools"] as readonly { function: { name: string } }[];
    expect(sent?.function.name).toHaveLength(64);
    const decoder = request.createDecoder(FACTS);
    const data = calls({ index: 0, id: "a", function: { name: sent?.function.name, arguments: "{}" } });
    const all = [data, "[DONE]"].flatMap((one) => decoder.decode({ name: null, data: one }));
    expect(toldBy(all).calls[0]?.name).toBe(name);
  });
});

describe("what suppliers add", () => {
  it("is read: content in parts, with reasoning among them", () => {
    const content = [
      { type: "thinking", thinking: [{ type: "text", text: "Hm." }] },
      { type: "text", text: "Yes" },
      { type: "refusal", refusal: "No" },
      { type: "reference", reference_ids: [1] },
    ];
    expect(told(chunk({ content }), "[DONE]")).toMatchObject({ thinking: "Hm.", text: "Yes", refusal: "No" });
  });

  it("is read once where it comes under two names", () => {
    expect(told(chunk({ reasoning: "Hm.", reasoning_content: "Hm." }), "[DONE]").thinking).toBe("Hm.");
    const own = { reasoning: "Hm.", reasoning_details: [{ type: "reasoning.summary", summary: "Hm." }] };
    expect(told(chunk(own), "[DONE]").thinking).toBe("Hm.");
  });

  it("is kept where it is hidden", () => {
    const hidden = { type: "reasoning.encrypted", data: "gAAAA", id: "rs_1", format: "openai-responses-v1" };
    const all = events(chunk({ reasoning_details: [hidden] }), chunk({ content: "x" }, "stop"));
    expect(all).toContainEqual({ kind: "open", index: 0, part: { kind: "thinking", redacted: true } });
    expect(signatures(all)).toEqual([{ origin: "openai-chat", data: JSON.stringify(hidden) }]);
  });

  it("is shown as a link where a picture lies elsewhere", () => {
    const images = [{ type: "image_url", image_url: { url: "https://files.example/a.png" } }];
    expect(told(chunk({ images }), "[DONE]").text).toBe("![image](https://files.example/a.png)");
  });

  it("is counted: usage in a choice, with written caches", () => {
    const usage = { prompt_tokens: 10, completion_tokens: 5, cached_tokens: 4 };
    const choice = { index: 0, delta: {}, finish_reason: "stop", usage };
    expect(told({ choices: [choice] }).usage).toMatchObject({ input: 6, cacheRead: 4, output: 5 });
    const details = { cached_tokens: 2, cache_write_tokens: 3 };
    expect(told({ choices: [], usage: { ...usage, prompt_tokens_details: details } }).usage).toMatchObject({
      input: 5,
      cacheRead: 2,
      cacheWrite: 3,
    });
  });

  it("does not bring in a second answer", () => {
    const choices = [1, 0].map((index) => ({
      index,
      delta: { content: String(index) },
      finish_reason: null,
    }));
    expect(told({ choices }, "[DONE]").text).toBe("0");
  });
});

describe("whatever an upstream sends", () => {
  const FIELDS = [
    "content",
    "reasoning_content",
    "reasoning",
    "reasoning_details",
    "refusal",
    "images",
    "tool_calls",
    "function_call",
  ];
  const words = fc.constantFrom(
    "text",
    "thinking",
    "reasoning.text",
    "reasoning.encrypted",
    "data:image/png;base64,AA",
    "{",
    "}",
    "",
  );
  const junk = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    words,
    fc.array(
      fc.dictionary(
        fc.constantFrom(
          "type",
          "text",
          "index",
          "id",
          "function",
          "name",
          "arguments",
          "signature",
          "data",
          "image_url",
          "thinking",
          "extra_content",
        ),
        fc.oneof(
          fc.jsonValue({ maxDepth: 2 }),
          words,
          fc.record({ name: words, arguments: words }),
          fc.nat(3),
        ),
      ),
      { maxLength: 3 },
    ),
  );
  const delta = fc.dictionary(fc.constantFrom(...FIELDS), junk);
  const message = fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(delta, fc.oneof(fc.constant(null), junk))
        .map(([said, end]) => ({ choices: [{ delta: said, finish_reason: end }] })),
    },
    fc.record({ choices: junk, usage: junk }, { requiredKeys: [] }),
    fc.constant("[DONE]"),
    fc.jsonValue(),
  );

  it("gives events in order, and never an exception", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
        const all = events(...messages);
        expectOrdered(all);
        for (const body of messages) expectOrdered(decoderFor().whole(body));
      }),
      { numRuns: 300 },
    );
  });
});

/** As `toldBy`, though arguments may be no JSON here. */
function expectOrdered(all: readonly AnswerEvent[]): void {
  toldBy(all.filter((event) => !isArgument(all, event)));
  if (all.length > 0 && all[0]?.kind !== "error") expect(all[0]?.kind).toBe("start");
  expect(all.filter(({ kind }) => kind === "end" || kind === "error").length).toBeLessThanOrEqual(1);
}

const isArgument = (all: readonly AnswerEvent[], event: AnswerEvent): boolean =>
  event.kind === "delta" &&
  all.some(
    (other) => other.kind === "open" && other.index === event.index && other.part.kind === "tool_call",
  );

describe("what the dialect says itself", () => {
  it("is understood as it was meant, streamed in pieces of any size", () => {
    fc.assert(
      fc.property(answers, fc.integer({ min: 1, max: 200 }), (said, size) => {
        const encoder = crossing.client.createEncoder(
          callWith({ stream_options: { include_usage: true } }),
          FACTS,
        );
        expect(toldBy(readStream(streamed(said, encoder), decoderFor(), size))).toEqual(toldBy(said));
      }),
    );
  });

  it("is understood as it was meant, whole", () => {
    fc.assert(
      fc.property(answers, (said) => {
        const whole: unknown = JSON.parse(crossing.client.createEncoder(callWith({}), FACTS).whole(said));
        expect(toldBy(decoderFor().whole(whole))).toEqual(toldBy(said));
      }),
    );
  });

  it("is understood once where reasoning is signed, streamed and whole", () => {
    const sealed = { origin: "anthropic", data: "ErUB" } as const;
    const think = (index: number, text: string): readonly AnswerEvent[] => [
      { kind: "open", index, part: { kind: "thinking", redacted: false } },
      { kind: "delta", index, text },
      { kind: "signature", index, signature: sealed },
      { kind: "close", index },
    ];
    const said: readonly AnswerEvent[] = [
      { kind: "start", id: null, model: null },
      ...think(0, "One."),
      ...think(1, "Two."),
      { kind: "open", index: 2, part: { kind: "thinking", redacted: true } },
      { kind: "signature", index: 2, signature: sealed },
      { kind: "close", index: 2 },
      { kind: "finish", reason: "stop", stopSequence: null },
      { kind: "end" },
    ];
    const encoder = () => crossing.client.createEncoder(callWith({}), FACTS);
    const asStream = readStream(streamed(said, encoder()), decoderFor());
    const asWhole = decoderFor().whole(JSON.parse(encoder().whole(said)));
    for (const all of [asStream, asWhole]) {
      expect(toldBy(all).thinking).toBe("One.Two.");
      expect(signatures(all)).toHaveLength(3);
      expect(all.filter(({ kind }) => kind === "open")).toHaveLength(3);
    }
  });
});
