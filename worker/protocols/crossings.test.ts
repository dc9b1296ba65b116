/** Every pair of dialects: what goes across and comes back means the same, however it is cut. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROTOCOL_IDS, type ProtocolId } from "../domain/protocol-id.ts";
import { acrossRequest, callOf, readStream, streamed } from "./__fixtures__/crossing.ts";
import { answers, FACTS, toldBy } from "./__fixtures__/neutral-answers.ts";
import { essenceOf, requests } from "./__fixtures__/neutral-requests.ts";
import { GOLDEN_ANSWERS as ANTHROPIC } from "./anthropic/crossing/__fixtures__/answers.ts";
import { GOLDEN_ANSWERS as GEMINI } from "./gemini/crossing/__fixtures__/answers.ts";
import { GOLDEN_ANSWERS as OPENAI_CHAT } from "./openai-chat/crossing/__fixtures__/answers.ts";
import { GOLDEN_ANSWERS as OPENAI_RESPONSES } from "./openai-responses/crossing/__fixtures__/answers.ts";
import { concat } from "./bytes.ts";
import { CROSSINGS } from "./crossings.ts";
import { BARE_REQUEST, type AnswerEvent } from "./neutral.ts";
import { StreamTranslator, translateWhole } from "./translate.ts";

const GOLDEN = {
  anthropic: ANTHROPIC,
  "openai-chat": OPENAI_CHAT,
  "openai-responses": OPENAI_RESPONSES,
  gemini: GEMINI,
} satisfies Record<ProtocolId, unknown>;

const PAIRS = PROTOCOL_IDS.flatMap((client) =>
  PROTOCOL_IDS.filter((upstream) => upstream !== client).map((upstream) => ({ client, upstream })),
);

const question = (stream: boolean) => ({
  ...BARE_REQUEST,
  stream,
  model: "some-model",
  turns: [{ role: "user", parts: [{ kind: "text", text: "Hi", cache: null }] }] as const,
});

/** The call of a client that wants to see everything, as its dialect has it. */
const callFrom = (client: ProtocolId, stream: boolean) =>
  callOf(CROSSINGS[client].upstream.encodeRequest(question(stream)));

const decoderOf = (upstream: ProtocolId, stream: boolean) =>
  CROSSINGS[upstream].upstream.encodeRequest(question(stream)).createDecoder(FACTS);

const encoderOf = (client: ProtocolId, stream: boolean) =>
  CROSSINGS[client].client.createEncoder(callFrom(client, stream), FACTS);

/** A client behind a relay behind a relay: what `upstream` says reaches `client`, and is read as its dialect. */
function across(text: string, { client, upstream }: (typeof PAIRS)[number], size: number): AnswerEvent[] {
  const translator = new StreamTranslator(decoderOf(upstream, true), encoderOf(client, true));
  const bytes = new TextEncoder().encode(text);
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) out.push(translator.push(bytes.subarray(at, at + size)));
  out.push(translator.end());
  const said = new TextDecoder().decode(concat(out));
  return readStream(said, decoderOf(client, true));
}

describe.each(PAIRS)("$client in front of $upstream", (pair) => {
  const { client, upstream } = pair;

  it("asks the same, and is asked the same when it comes back", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const there = acrossRequest(CROSSINGS[client], request);
        const back = acrossRequest(CROSSINGS[upstream], there);
        expect(essenceOf(acrossRequest(CROSSINGS[client], back))).toEqual(essenceOf(request));
        expect(back).toMatchObject({ stream: request.stream, model: request.model });
      }),
      { numRuns: 60 },
    );
  });

  it("answers the same, however the stream is cut", () => {
    fc.assert(
      fc.property(answers, fc.integer({ min: 1, max: 200 }), (events, size) => {
        const text = streamed(events, encoderOf(upstream, true));
        const { thinking: _, ...told } = toldBy(across(text, pair, size));
        const { thinking: __, ...meant } = toldBy(events);
        expect(told).toEqual(meant);
      }),
      { numRuns: 60 },
    );
  });

  it.each(GOLDEN[upstream].map(({ name, stream, whole }) => ({ name, stream, whole })))(
    "tells the client the captured answer $name",
    async ({ name, stream, whole }) => {
      const translator = new StreamTranslator(decoderOf(upstream, true), encoderOf(client, true));
      const bytes = new TextEncoder().encode(stream);
      const said = new TextDecoder().decode(concat([translator.push(bytes), translator.end()]));
      const file = `./__fixtures__/golden/${upstream}-to-${client}/${name}`;
      await expect(said).toMatchFileSnapshot(`${file}.sse`);
      if (whole === null) return;
      const body = new TextEncoder().encode(JSON.stringify(whole));
      const answer = translateWhole(body, decoderOf(upstream, false), encoderOf(client, false));
      await expect(`${JSON.stringify(JSON.parse(answer), null, 2)}\n`).toMatchFileSnapshot(`${file}.json`);
    },
  );
});
