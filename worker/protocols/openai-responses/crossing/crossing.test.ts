import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { acrossRequest, clientCall, readStream, streamed } from "../../__fixtures__/crossing.ts";
import { FACTS, answers, toldBy } from "../../__fixtures__/neutral-answers.ts";
import { essenceOf, requests } from "../../__fixtures__/neutral-requests.ts";
import { BARE_REQUEST, type AnswerEvent, type Bound, type Part } from "../../neutral.ts";
import { crossing } from "./index.ts";

const call = clientCall("/v1/responses", { model: "some-model", input: "Hi" });
const encoder = () => crossing.client.createEncoder(call, FACTS);
const decoder = () =>
  crossing.upstream.encodeRequest({ ...BARE_REQUEST, model: "some-model", turns: [] }).createDecoder(FACTS);

const TOOLS = [
  { type: "function", name: "get_weather" },
  { type: "custom", name: "apply_patch" },
  {
    type: "namespace",
    name: "agents",
    tools: [
      { type: "custom", name: "say" },
      { type: "function", name: "spawn" },
    ],
  },
];
const toolCall = clientCall("/v1/responses", { model: "some-model", input: "Hi", tools: TOOLS });

const words = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
const signature: fc.Arbitrary<Bound | null> = fc.option(
  fc.record({
    origin: fc.constantFrom("anthropic", "gemini"),
    data: fc.stringMatching(/^[A-Za-z0-9+/#:]{1,20}$/),
  }),
  { nil: null },
);
const text = words.map((value): Part => ({ kind: "text", text: value, cache: null }));
const thinking = fc
  .record({ value: words, bound: signature })
  .map(({ value, bound }): Part => ({ kind: "thinking", text: value, signature: bound, redacted: false }));
const hidden = fc.tuple(signature, fc.boolean()).map(([bound, redacted]): Part => ({
  kind: "thinking",
  text: "",
  signature: bound ?? { origin: "anthropic", data: "x" },
  redacted,
}));
const freeForm = fc.constantFrom("apply_patch", "agents__say");
const plain = fc.constantFrom("get_weather", "agents__spawn");
const calling = fc
  .record({ id: fc.stringMatching(/^[A-Za-z0-9_-]{6,20}$/), value: words, bound: signature })
  .chain(({ id, value, bound }) =>
    fc
      .oneof(
        freeForm.map((name) => ({ name, arguments: JSON.stringify({ input: value }) })),
        plain.map((name) => ({ name, arguments: JSON.stringify({ value }) })),
      )
      .map((of): Part => ({ kind: "tool_call", id, ...of, signature: bound })),
  );
const said = fc.uniqueArray(fc.oneof(text, thinking, hidden, calling), {
  minLength: 1,
  maxLength: 6,
  selector: (part) => (part.kind === "tool_call" ? part.id : part),
});

function eventsOf(part: Part, index: number): readonly AnswerEvent[] {
  const [open, value]: [Extract<AnswerEvent, { kind: "open" }>["part"], string] =
    part.kind === "tool_call"
      ? [{ kind: "tool_call", id: part.id, name: part.name }, part.arguments]
      : part.kind === "thinking"
        ? [{ kind: "thinking", redacted: part.redacted }, part.text]
        : [{ kind: "text" }, part.kind === "text" ? part.text : ""];
  const bound = part.kind === "tool_call" || part.kind === "thinking" ? part.signature : null;
  return [
    { kind: "open", index, part: open },
    ...(value === "" ? [] : [{ kind: "delta", index, text: value } as const]),
    ...(bound === null ? [] : [{ kind: "signature", index, signature: bound } as const]),
    { kind: "close", index },
  ];
}

describe("crossing", () => {
  it("gives a conversation back as it was", () => {
    fc.assert(
      fc.property(requests, (request) => {
        expect(essenceOf(acrossRequest(crossing, request))).toEqual(essenceOf(request));
      }),
    );
  });

  it("gives a request's other wishes back as they were", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const { stream, outputTokensMax, parallelToolCalls, tools } = request;
        expect(acrossRequest(crossing, request)).toMatchObject({
          stream,
          outputTokensMax,
          parallelToolCalls,
          tools: tools.map(({ name, description, parameters }) => ({ name, description, parameters })),
        });
      }),
    );
  });

  it("gives a streamed answer back as it was, however it was cut", () => {
    fc.assert(
      fc.property(answers, fc.integer({ min: 1, max: 200 }), (events, size) => {
        expect(toldBy(readStream(streamed(events, encoder()), decoder(), size))).toEqual(toldBy(events));
      }),
    );
  });

  it("gives a whole answer back as it was", () => {
    fc.assert(
      fc.property(answers, (events) => {
        expect(toldBy(decoder().whole(JSON.parse(encoder().whole(events))))).toEqual(toldBy(events));
      }),
    );
  });

  it("gets back from a client what the client was told", () => {
    fc.assert(
      fc.property(said, (parts) => {
        const { output } = JSON.parse(
          crossing.client.createEncoder(toolCall, FACTS).whole(parts.flatMap(eventsOf)),
        ) as { output: readonly unknown[] };
        const { turns } = crossing.client.decodeRequest(
          clientCall("/v1/responses", {
            model: "some-model",
            tools: TOOLS,
            input: [...output, { role: "user", content: "Go on." }],
          }),
        );
        expect(turns[0]?.parts).toEqual(parts);
      }),
    );
  });
});
