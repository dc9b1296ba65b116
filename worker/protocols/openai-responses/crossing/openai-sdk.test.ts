/** What OpenAI's own SDK makes of the answers that clients are told. */
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { clientCall, readStream, streamed } from "../../__fixtures__/crossing.ts";
import { FACTS } from "../../__fixtures__/neutral-answers.ts";
import type { AnswerEvent } from "../../neutral.ts";
import { toolNames } from "../../tool-names.ts";
import { GOLDEN_ANSWERS } from "./__fixtures__/answers.ts";
import { createDecoder } from "./decode-answer.ts";
import { createEncoder } from "./encode-answer.ts";

const CALL = {
  model: "some-model",
  input: "Hi",
  tools: [{ type: "custom" as const, name: "apply_patch" }],
};

const encoder = () => createEncoder(clientCall("/v1/responses", CALL), FACTS);

/** An SDK whose every request is answered with this. */
const sdk = (body: string, contentType: string) =>
  new OpenAI({
    apiKey: "test",
    maxRetries: 0,
    fetch: async () => new Response(body, { headers: { "content-type": contentType } }),
  });

async function finalResponse(events: readonly AnswerEvent[]) {
  const stream = sdk(streamed(events, encoder()), encoder().streamType).responses.stream(CALL);
  for await (const _ of stream);
  return stream.finalResponse();
}

const eventsOf = (stream: string) => readStream(stream, createDecoder(toolNames([])));

describe("the openai SDK", () => {
  it.each(GOLDEN_ANSWERS.filter(({ whole }) => whole !== null))(
    "follows the stream of $name, and comes to the same as from the whole answer",
    async ({ stream }) => {
      const events = eventsOf(stream);
      const followed = await finalResponse(events);
      const whole = await sdk(encoder().whole(events), "application/json").responses.create(CALL);
      // The helper adds what it parsed of a text.
      expect(followed.output).toMatchObject(whole.output);
      expect(followed.output_text).toBe(whole.output_text);
      expect(followed.usage).toEqual(whole.usage);
      expect(followed.status).toBe(whole.status);
    },
  );

  it("follows calls that come in turns, signed and free-form ones", async () => {
    const call = (index: number, name: string): AnswerEvent => ({
      kind: "open",
      index,
      part: { kind: "tool_call", id: `call_${String(index)}`, name },
    });
    const { output } = await finalResponse([
      { kind: "start", id: null, model: null },
      call(0, "apply_patch"),
      { kind: "signature", index: 0, signature: { origin: "gemini", data: "sig" } },
      call(1, "get_weather"),
      { kind: "delta", index: 0, text: '{"input":"*** Be' },
      { kind: "delta", index: 1, text: "{}" },
      { kind: "delta", index: 0, text: 'gin"}' },
      { kind: "close", index: 1 },
      { kind: "close", index: 0 },
      { kind: "finish", reason: "tool_calls", stopSequence: null },
      { kind: "end" },
    ]);
    expect(output).toMatchObject([
      { type: "custom_tool_call", call_id: "call_0", name: "apply_patch", input: "*** Begin" },
      { type: "reasoning", encrypted_content: "call:call_0#gemini#sig" },
      { type: "function_call", call_id: "call_1", name: "get_weather", arguments: "{}" },
    ]);
  });

  it("learns of an error from the stream", async () => {
    const failed = await finalResponse([{ kind: "error", type: "overloaded_error", message: "Overloaded." }]);
    expect(failed).toMatchObject({ status: "failed", error: { message: "Overloaded." } });
  });
});
