import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { acrossRequest, clientCall, readStream, streamed } from "../__fixtures__/crossing.ts";
import { FACTS, answers, toldBy } from "../__fixtures__/neutral-answers.ts";
import { essenceOf, requests } from "../__fixtures__/neutral-requests.ts";
import { BARE_REQUEST } from "../neutral.ts";
import { crossing } from "./crossing.ts";

const call = clientCall("/v1/responses", { model: "some-model", input: "Hi" });
const encoder = () => crossing.client.createEncoder(call, FACTS);
const decoder = () =>
  crossing.upstream.encodeRequest({ ...BARE_REQUEST, model: "some-model", turns: [] }).createDecoder(FACTS);

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
});
