import { describe, expect, it } from "vitest";
import { wholeAnswer } from "./whole-answer.ts";

const event = (data: { readonly type: string } & Record<string, unknown>) =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;

const ITEM = { type: "message", content: [{ type: "output_text", text: "héllo 多" }] };
const ended = (output: unknown) =>
  event({ type: "response.completed", response: { id: "resp_1", output, usage: { input_tokens: 1 } } });
const STREAM =
  event({ type: "response.created", response: { id: "resp_1" } }) +
  event({ type: "response.output_text.delta", delta: "héllo 多" }) +
  event({ type: "response.output_item.done", item: ITEM });

function answered(text: string, slice = 7) {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, (at += slice)));
    },
  });
  const headers = { "content-type": "text/event-stream", "content-encoding": "gzip", "x-request-id": "r" };
  return wholeAnswer(new Response(body, { headers }));
}

describe("wholeAnswer", () => {
  it.each([1, 7, 5000])("is the response of the last event (slices of %s bytes)", async (slice) => {
    const answer = answered(STREAM + ended([ITEM, ITEM]), slice);
    expect(Object.fromEntries(answer.headers)).toEqual({
      "content-type": "application/json",
      "x-request-id": "r",
    });
    expect(await answer.json()).toEqual({
      id: "resp_1",
      output: [ITEM, ITEM],
      usage: { input_tokens: 1 },
    });
  });

  it("has the items that came before where the last event has none", async () => {
    expect(await answered(STREAM + ended([])).json()).toMatchObject({ output: [ITEM] });
    expect(await answered(STREAM + ended(undefined)).json()).toMatchObject({ output: [ITEM] });
  });

  it.each([
    ["breaks off", STREAM],
    ["fails", STREAM + event({ type: "response.failed", response: { error: { code: "server_error" } } })],
    ["is empty", ""],
    ["ends in nonsense", 'data: {"type":"response.completed","response":7}\n\n'],
  ])("is no answer where the stream %s", async (_, text) => {
    await expect(answered(text).arrayBuffer()).rejects.toThrow("no end");
  });
});
