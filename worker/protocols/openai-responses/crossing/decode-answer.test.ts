import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readStream } from "../../__fixtures__/crossing.ts";
import { toldBy } from "../../__fixtures__/neutral-answers.ts";
import type { AnswerEvent } from "../../neutral.ts";
import { toolNames } from "../../tool-names.ts";
import { GOLDEN_ANSWERS } from "./__fixtures__/answers.ts";
import { createDecoder } from "./decode-answer.ts";

const decoder = () => createDecoder(toolNames([]));

function golden(name: string) {
  const found = GOLDEN_ANSWERS.find((answer) => answer.name === name);
  if (found === undefined) throw new Error(`no golden answer ${name}`);
  return found;
}
const eventsOf = (name: string) => readStream(golden(name).stream, decoder());

/** An answer's events without the pieces in which its text came. */
const wholeTexts = (events: readonly AnswerEvent[]): AnswerEvent[] =>
  events.reduce<AnswerEvent[]>((all, event) => {
    const last = all.at(-1);
    if (event.kind !== "delta" || last?.kind !== "delta" || last.index !== event.index)
      return [...all, event];
    return [...all.slice(0, -1), { ...last, text: last.text + event.text }];
  }, []);

const START = { kind: "start", id: "resp_0a1b2c3d", model: "gpt-6-sol-2026-10-01" };
const usage = (output: number, reasoning = 0) => ({
  kind: "usage",
  usage: { input: 30, cacheRead: 60, cacheWrite: 10, output, reasoning },
});
const finish = (reason: string) => [{ kind: "finish", reason, stopSequence: null }, { kind: "end" }];
const part = (index: number, opened: object, text: string, signature?: string) => [
  { kind: "open", index, part: opened },
  ...(text === "" ? [] : [{ kind: "delta", index, text }]),
  ...(signature === undefined
    ? []
    : [{ kind: "signature", index, signature: { origin: "openai-responses", data: signature } }]),
  { kind: "close", index },
];
const TWO = (index: number) => part(index, { kind: "text" }, "2");
const SUMMARY = "**Looking at it**\n\nThe sum is small.\n\n**Adding**\n\n1 and 1 make 2.";

const EXPECTED: Readonly<Record<string, readonly object[]>> = {
  text: [START, ...part(0, { kind: "text" }, "Hello, wörld 😀!"), usage(7), ...finish("stop")],
  thinking: [
    START,
    ...part(0, { kind: "thinking", redacted: false }, SUMMARY, "gAAAAABencrypted=="),
    ...TWO(1),
    usage(42, 30),
    ...finish("stop"),
  ],
  raw_thinking: [
    START,
    ...part(0, { kind: "thinking", redacted: false }, "One and one."),
    ...TWO(1),
    usage(42, 30),
    ...finish("stop"),
  ],
  hidden_thinking: [
    START,
    ...part(0, { kind: "thinking", redacted: true }, "", "gAAAAABonly=="),
    ...TWO(1),
    usage(20, 10),
    ...finish("stop"),
  ],
  refusal: [
    START,
    ...part(0, { kind: "refusal" }, "I can't help with that."),
    usage(9),
    ...finish("refused"),
  ],
  length: [START, ...part(0, { kind: "text" }, "Once upon"), usage(16), ...finish("length")],
  filtered: [START, ...part(0, { kind: "text" }, "Once upon"), usage(4), ...finish("refused")],
  picture: [
    START,
    { kind: "media", mediaType: "image/png", data: "iVBORw0KGgo=" },
    usage(3),
    ...finish("stop"),
  ],
};

describe("createDecoder", () => {
  it.each(Object.entries(EXPECTED))("reads the stream of %j", (name, expected) => {
    expect(wholeTexts(eventsOf(name))).toEqual(expected);
  });

  it.each(Object.entries(EXPECTED))("reads the whole answer %j as the stream", (name, expected) => {
    expect(decoder().whole(golden(name).whole)).toEqual(expected);
  });

  it("tells two calls that come in turns as two parts that are open at once", () => {
    const events = eventsOf("tool_calls");
    expect(
      events.map((event) => ("index" in event ? `${event.kind} ${String(event.index)}` : event.kind)),
    ).toEqual([
      "start",
      ...["open 0", "delta 0", "delta 0", "close 0"],
      ...["open 1", "delta 1", "open 2", "delta 2", "delta 1", "delta 2", "close 1", "close 2"],
      ...["usage", "finish", "end"],
    ]);
    const calls = ["Paris", "Rome"].map((city) => ({
      id: `call_${city.toLowerCase()}`,
      name: "get_weather",
      arguments: { city },
    }));
    const told = { text: "I'll look both up.", calls, reason: "tool_calls" };
    expect(toldBy(events)).toMatchObject(told);
    expect(toldBy(decoder().whole(golden("tool_calls").whole))).toMatchObject(told);
  });

  it("gives the error of an answer that failed, and nothing after it", () => {
    const events = eventsOf("error");
    expect(events.at(-1)).toEqual({
      kind: "error",
      type: "rate_limit_exceeded",
      message: "Rate limit reached. Please try again in 11.054s.",
    });
    expect(toldBy(events).text).toBe("Hel");
  });

  it.each([
    ["the public API's", { type: "error", code: "server_error", message: "Oh no." }, "server_error"],
    [
      "the ChatGPT backend's",
      { type: "error", error: { type: "usage_limit", message: "Oh no." } },
      "usage_limit",
    ],
    ["one without words", { type: "error", error: "x" }, "server_error"],
  ])("reads an error event: %s", (_, data, type) => {
    const events = decoder().decode({ name: "error", data });
    expect(events.map(({ kind }) => kind)).toEqual(["start", "error"]);
    expect(events.at(-1)).toMatchObject({ type });
  });

  it("gives a whole answer that failed as an error", () => {
    const whole = { id: "resp_1", status: "failed", error: { code: "server_error", message: "Oh no." } };
    expect(decoder().whole(whole).at(-1)).toEqual({ kind: "error", type: "server_error", message: "Oh no." });
  });

  it.each(GOLDEN_ANSWERS)("reads $name the same for every slicing", ({ stream }) => {
    const whole = readStream(stream, decoder());
    for (const size of [1, 2, 3, 5, 7, 64]) expect(readStream(stream, decoder(), size)).toEqual(whole);
  });

  it.each(GOLDEN_ANSWERS)("does not finish $name when its stream is cut", ({ stream }) => {
    const events = stream.split("\n\n").filter((event) => event !== "");
    for (let kept = 0; kept < events.length; kept++) {
      const cut = readStream(events.slice(0, kept).join("\n\n"), decoder());
      expect(cut.filter(({ kind }) => kind === "finish" || kind === "end" || kind === "error")).toEqual([]);
    }
  });

  it("tells items that were only told when they were done", () => {
    const { stream } = golden("tool_calls");
    const events = stream.split("\n\n").filter((event) => /output_item\.done|completed/.test(event));
    expect(toldBy(readStream(events.join("\n\n"), decoder()))).toEqual(toldBy(eventsOf("tool_calls")));
  });

  it("tells an answer of which only the end was sent", () => {
    const events = golden("thinking").stream.split("\n\n");
    const last = events.filter((event) => event.includes("response.completed")).join("");
    expect(toldBy(readStream(last, decoder()))).toEqual(toldBy(eventsOf("thinking")));
  });

  it("gives the names of tools back as the client knows them", () => {
    const name = `mcp__${"long_".repeat(20)}name`;
    const names = toolNames([name]);
    const item = { type: "function_call", call_id: "call_1", name: names.toUpstream(name), arguments: "{}" };
    const events = createDecoder(names).whole({ status: "completed", output: [item] });
    expect(toldBy(events).calls).toEqual([{ id: "call_1", name, arguments: {} }]);
  });

  it("reads a free-form call that nobody asked for as a call with the one argument", () => {
    const item = { type: "custom_tool_call", call_id: "call_1", name: "patch", input: "*** Begin" };
    expect(toldBy(decoder().whole({ output: [item] })).calls).toEqual([
      { id: "call_1", name: "patch", arguments: { input: "*** Begin" } },
    ]);
  });

  it.each([undefined, null, "text", 7, [], {}, { output: 7 }])(
    "reads %j as an answer without content",
    (body) => {
      expect(
        decoder()
          .whole(body)
          .map(({ kind }) => kind),
      ).toEqual(["start", "finish", "end"]);
    },
  );
});

const NAMES = GOLDEN_ANSWERS.flatMap(({ stream }) =>
  [...stream.matchAll(/^event: (.*)$/gm)].map(([, name]) => name),
);
const place = fc.oneof(fc.integer({ min: -1, max: 2 }), fc.constant(null), fc.string());
const word = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom("output_text", "refusal"), fc.jsonValue());
const item = fc.record(
  {
    type: fc.constantFrom(
      "message",
      "reasoning",
      "function_call",
      "custom_tool_call",
      "image_generation_call",
      "x",
    ),
    id: word,
    call_id: word,
    name: word,
    arguments: word,
    summary: fc.oneof(fc.array(fc.record({ text: word }), { maxLength: 2 }), word),
    content: fc.oneof(fc.array(fc.record({ type: word, text: word }), { maxLength: 2 }), word),
    encrypted_content: word,
    result: word,
  },
  { requiredKeys: ["type"] },
);
const wild = fc.record(
  {
    type: fc.constantFrom(...NAMES, "error", "response.unknown"),
    output_index: place,
    content_index: place,
    summary_index: place,
    item_id: word,
    delta: word,
    text: word,
    arguments: word,
    part: fc.oneof(fc.record({ type: word, text: word }), word),
    item: fc.oneof(item, word),
    response: fc.oneof(fc.record({ output: fc.array(fc.oneof(item, word)), usage: word, error: word }), word),
  },
  { requiredKeys: ["type"] },
);

/** Arguments of a wild upstream need not be JSON. */
const withoutArguments = (events: readonly AnswerEvent[]): AnswerEvent[] => {
  const calls = new Set(
    events.flatMap((event) =>
      event.kind === "open" && event.part.kind === "tool_call" ? [event.index] : [],
    ),
  );
  return events.filter((event) => event.kind !== "delta" || !calls.has(event.index));
};

describe("createDecoder, of whatever an upstream may send", () => {
  it("never throws, and keeps the order of events", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 9, arbitrary: wild }, fc.jsonValue()), { maxLength: 30 }),
        (messages) => {
          const upstream = decoder();
          const events = messages.flatMap((data) => upstream.decode({ name: null, data }));
          toldBy(withoutArguments([...events, ...upstream.end()]));
          expect(events.slice(1).every(({ kind }) => kind !== "start")).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("never throws on a whole answer", () => {
    const body = fc.oneof(
      fc.record({ output: fc.array(fc.oneof(item, word)), usage: word, status: word }),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(body, (whole) => {
        toldBy(withoutArguments(decoder().whole(whole)));
      }),
    );
  });
});
