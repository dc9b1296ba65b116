import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { acrossRequest, callOf, readStream, streamed } from "../../__fixtures__/crossing.ts";
import { answers, FACTS, toldBy } from "../../__fixtures__/neutral-answers.ts";
import { conversations, essenceOf, requests } from "../../__fixtures__/neutral-requests.ts";
import { BARE_REQUEST, type AnswerEvent } from "../../neutral.ts";
import { GOLDEN_ANSWERS } from "./__fixtures__/answers.ts";
import { NO_ANSWER_USAGE } from "./answer-usage.ts";
import { crossing } from "./index.ts";

const sample = { ...BARE_REQUEST, model: "claude-sonnet-4-6", turns: [] };
const newDecoder = () => crossing.upstream.encodeRequest(sample).createDecoder(FACTS);
const newEncoder = () =>
  crossing.client.createEncoder(callOf(crossing.upstream.encodeRequest(sample)), FACTS);

describe("requests across Anthropic's dialect", () => {
  it("keep who said what, calls and results", () => {
    fc.assert(
      fc.property(requests, (request) => {
        expect(essenceOf(acrossRequest(crossing, request))).toEqual(essenceOf(request));
      }),
    );
  });

  it("keep it for every model, whatever that model is told of thinking", () => {
    const models = fc.constantFrom(
      "claude-3-haiku-20240307",
      "claude-sonnet-4-5",
      "claude-opus-5-5",
      "glm-4.6",
    );
    const efforts = fc.constantFrom("none", "low", "max");
    fc.assert(
      fc.property(conversations, models, efforts, (turns, model, effort) => {
        const reasoning = { effort, budgetTokens: null, visible: true } as const;
        const request = { ...BARE_REQUEST, model, turns, reasoning };
        expect(essenceOf(acrossRequest(crossing, request))).toEqual(essenceOf(request));
      }),
    );
  });

  it("come back with what they ask besides the conversation", () => {
    const request = {
      ...BARE_REQUEST,
      model: "claude-sonnet-4-5",
      stream: true,
      turns: [{ role: "user", parts: [{ kind: "text", text: "Hi", cache: "1h" }] }],
      tools: [
        { name: "look", description: "Looks.", parameters: { type: "object" }, strict: null, cache: "5m" },
      ],
      toolChoice: { kind: "named", name: "look" },
      parallelToolCalls: false,
      outputTokensMax: 500,
      temperature: 0.5,
      topK: 40,
      stop: ["END"],
      user: "person-1",
    } as const;
    expect(acrossRequest(crossing, request)).toEqual({ ...request, cacheKey: null, omitted: [] });
  });
});

describe("answers across Anthropic's dialect", () => {
  it("mean the same at any size of the pieces", () => {
    fc.assert(
      fc.property(answers, fc.integer({ min: 1, max: 64 }), (events, size) => {
        const text = streamed(events, newEncoder());
        expect(toldBy(readStream(text, newDecoder(), size))).toEqual(toldBy(events));
      }),
    );
  });

  it("mean the same as a whole", () => {
    fc.assert(
      fc.property(answers, (events) => {
        const whole: unknown = JSON.parse(newEncoder().whole(events));
        expect(toldBy(newDecoder().whole(whole))).toEqual(toldBy(events));
      }),
    );
  });

  it.each(GOLDEN_ANSWERS.filter(({ whole }) => whole !== null))(
    "mean the same streamed and whole: $name",
    ({ stream, whole }) => {
      expect(toldBy(newDecoder().whole(whole))).toEqual(toldBy(readStream(stream, newDecoder())));
    },
  );

  it.each(GOLDEN_ANSWERS)("are told again as they came: $name", ({ stream }) => {
    const events = readStream(stream, newDecoder());
    const again = readStream(streamed(events, newEncoder()), newDecoder());
    const told = toldBy(events);
    // What Anthropic says of a refusal is text to a client, who is told the cost when an answer ends well.
    const usage = told.error === null ? told.usage : NO_ANSWER_USAGE;
    expect(toldBy(again)).toEqual({ ...told, text: told.text + told.refusal, refusal: "", usage });
  });

  it("keep the signatures of thinking, of hidden thinking and of calls", () => {
    const signed: AnswerEvent[] = [
      { kind: "start", id: null, model: null },
      { kind: "open", index: 0, part: { kind: "thinking", redacted: false } },
      { kind: "delta", index: 0, text: "Hm." },
      { kind: "signature", index: 0, signature: { origin: "openai-responses", data: "rs_1|abc" } },
      { kind: "close", index: 0 },
      { kind: "open", index: 1, part: { kind: "thinking", redacted: true } },
      { kind: "signature", index: 1, signature: { origin: "gemini", data: "hidden" } },
      { kind: "close", index: 1 },
      { kind: "open", index: 2, part: { kind: "tool_call", id: "call_1", name: "look" } },
      { kind: "signature", index: 2, signature: { origin: "gemini", data: "signed" } },
      { kind: "delta", index: 2, text: '{"at":1}' },
      { kind: "close", index: 2 },
      { kind: "finish", reason: "tool_calls", stopSequence: null },
      { kind: "end" },
    ];
    const { content } = JSON.parse(newEncoder().whole(signed)) as { content: unknown[] };
    const call = callOf({
      ...crossing.upstream.encodeRequest(sample),
      body: { model: "m", max_tokens: 10, messages: [{ role: "assistant", content }] },
    });
    expect(crossing.client.decodeRequest(call).turns[0]?.parts).toEqual([
      {
        kind: "thinking",
        text: "Hm.",
        signature: { origin: "openai-responses", data: "rs_1|abc" },
        redacted: false,
      },
      { kind: "thinking", text: "", signature: { origin: "gemini", data: "hidden" }, redacted: true },
      {
        kind: "tool_call",
        id: "call_1",
        name: "look",
        arguments: '{"at":1}',
        signature: { origin: "gemini", data: "signed" },
      },
    ]);
  });
});
