import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { acrossRequest, clientCall, readStream, streamed } from "../../__fixtures__/crossing.ts";
import { FACTS, answers, toldBy } from "../../__fixtures__/neutral-answers.ts";
import { essenceOf, requests } from "../../__fixtures__/neutral-requests.ts";
import { JsonArrayReader } from "../../json-array.ts";
import { BARE_REQUEST, type AnswerEvent, type NeutralRequest } from "../../neutral.ts";
import { GOLDEN_ANSWERS, sse } from "./__fixtures__/answers.ts";
import { crossing } from "./index.ts";

const REQUEST: NeutralRequest = {
  ...BARE_REQUEST,
  model: "gemini-3.1-pro-preview",
  turns: [{ role: "user", parts: [{ kind: "text", text: "Hi", cache: null }] }],
};
const decoder = () => crossing.upstream.encodeRequest(REQUEST).createDecoder(FACTS);
const encoder = (query = "alt=sse") => crossing.client.createEncoder(clientCall("", {}, query), FACTS);

/** The elements of a JSON array that is streamed, as events. */
function sseOfArray(text: string): string {
  const elements: unknown[] = [];
  const reader = new JsonArrayReader({
    onElement: (bytes) => elements.push(JSON.parse(new TextDecoder().decode(bytes))),
  });
  reader.push(new TextEncoder().encode(text));
  expect(reader.isClosed).toBe(true);
  return sse(elements);
}

describe("requests across the dialect and back", () => {
  it("keep what they say, whatever the model", () => {
    fc.assert(
      fc.property(
        requests,
        fc.constantFrom("some-model", "gemini-2.5-flash", "gemini-3.1-pro-preview"),
        (request, model) => {
          const asked = { ...request, model };
          const back = acrossRequest(crossing, asked);
          expect(essenceOf(back)).toEqual(essenceOf(asked));
          const { stream, temperature, outputTokensMax, tools } = asked;
          expect(back).toMatchObject({ model, stream, temperature, outputTokensMax, tools });
        },
      ),
    );
  });
});

describe("answers across the dialect and back", () => {
  it("keep what they say at any size of pieces", () => {
    fc.assert(
      fc.property(answers, fc.integer({ min: 1, max: 300 }), (events, size) => {
        expect(toldBy(readStream(streamed(events, encoder()), decoder(), size))).toEqual(toldBy(events));
      }),
    );
  });

  it("keep what they say as a JSON array", () => {
    fc.assert(
      fc.property(answers, (events) => {
        const text = streamed(events, encoder(""));
        expect(Array.isArray(JSON.parse(text))).toBe(true);
        expect(toldBy(readStream(sseOfArray(text), decoder()))).toEqual(toldBy(events));
      }),
    );
  });

  it("keep what they say whole", () => {
    fc.assert(
      fc.property(answers, (events) => {
        expect(toldBy(decoder().whole(JSON.parse(encoder().whole(events))))).toEqual(toldBy(events));
      }),
    );
  });
});

describe("golden answers", () => {
  const whole = GOLDEN_ANSWERS.filter((answer) => answer.whole !== null);

  it.each(GOLDEN_ANSWERS)("give the same events for every slicing ($name)", ({ stream }) => {
    const events = readStream(stream, decoder());
    toldBy(events);
    for (const size of [1, 2, 3, 5, 7, 64]) expect(readStream(stream, decoder(), size)).toEqual(events);
  });

  it.each(whole)("mean the same streamed and whole ($name)", ({ stream, whole: body }) => {
    expect(toldBy(decoder().whole(body))).toEqual(toldBy(readStream(stream, decoder())));
  });

  /** A refusal's words have no field of their own here. */
  const plainly = (events: readonly AnswerEvent[]) => {
    const { text, refusal, ...told } = toldBy(events);
    return { ...told, text: text + refusal };
  };

  it.each(GOLDEN_ANSWERS)("come back out as they went in ($name)", ({ stream }) => {
    const events = readStream(stream, decoder());
    expect(plainly(readStream(streamed(events, encoder()), decoder()))).toEqual(plainly(events));
  });
});
