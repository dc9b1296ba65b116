/** Chats in front of Claude and of Responses: conformance items 19 and 20. */
import { describe, expect, it } from "vitest";
import { clientCall, readStream, streamed } from "./__fixtures__/crossing.ts";
import { FACTS, toldBy } from "./__fixtures__/neutral-answers.ts";
import { CROSSINGS } from "./crossings.ts";
import type { AnswerEvent } from "./neutral.ts";

const chatOf = (body: object) => clientCall("/v1/chat/completions", { model: "m", ...body });

const toClaude = (body: object) =>
  CROSSINGS.anthropic.upstream.encodeRequest(CROSSINGS["openai-chat"].client.decodeRequest(chatOf(body)))
    .body;

const toResponses = (body: object) =>
  CROSSINGS["openai-responses"].upstream.encodeRequest(
    CROSSINGS["openai-chat"].client.decodeRequest(chatOf(body)),
  );

const toolCall = (id: string, name: string, args: object) => ({
  id,
  type: "function",
  function: { name, arguments: JSON.stringify(args) },
});

const tool = (name: string) => ({ type: "function", function: { name, parameters: { type: "object" } } });

/** What a chat's client is told for these events. */
const told = (events: readonly AnswerEvent[], body: object = {}) =>
  streamed(events, CROSSINGS["openai-chat"].client.createEncoder(chatOf({ stream: true, ...body }), FACTS))
    .split("\n\n")
    .filter((event) => event.startsWith("data: {"))
    .map((event) => JSON.parse(event.slice("data: ".length)) as Record<string, unknown>);

describe("19: a chat in front of Claude", () => {
  it("has its system and developer messages as the system prompt", () => {
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "developer", content: "Be kind." },
      { role: "user", content: "Hi" },
    ];
    expect(toClaude({ messages })).toMatchObject({
      system: [
        { type: "text", text: "Be brief." },
        { type: "text", text: "Be kind." },
      ],
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
    });
  });

  it("keeps the text beside tool calls, and merges the results of several into one message", () => {
    const messages = [
      { role: "user", content: "Look it up." },
      {
        role: "assistant",
        content: "I will.",
        tool_calls: [toolCall("call_a", "find", { q: 1 }), toolCall("call_b", "find", { q: 2 })],
      },
      { role: "tool", tool_call_id: "call_a", content: "one" },
      { role: "tool", tool_call_id: "call_b", content: "two" },
      { role: "user", content: "And?" },
    ];
    expect(toClaude({ messages, tools: [tool("find")] })).toMatchObject({
      messages: [
        { role: "user" },
        {
          role: "assistant",
          content: [
            { type: "text", text: "I will." },
            { type: "tool_use", id: "call_a", name: "find", input: { q: 1 } },
            { type: "tool_use", id: "call_b", name: "find", input: { q: 2 } },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "call_a" },
            { type: "tool_result", tool_use_id: "call_b" },
            { type: "text", text: "And?" },
          ],
        },
      ],
    });
  });

  it("gives pictures by their addresses", () => {
    const url = "https://example.org/cat.png";
    const messages = [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }];
    expect(toClaude({ messages })).toMatchObject({
      messages: [{ content: [{ type: "image", source: { type: "url", url } }] }],
    });
  });

  const said: readonly AnswerEvent[] = [
    { kind: "start", id: null, model: null },
    { kind: "open", index: 0, part: { kind: "text" } },
    { kind: "delta", index: 0, text: "Let me see." },
    { kind: "close", index: 0 },
    { kind: "open", index: 1, part: { kind: "tool_call", id: "toolu_1", name: "find" } },
    { kind: "delta", index: 1, text: "{}" },
    { kind: "close", index: 1 },
    { kind: "usage", usage: { input: 10, cacheRead: 5, cacheWrite: 2, output: 7, reasoning: 0 } },
    { kind: "finish", reason: "tool_calls", stopSequence: null },
    { kind: "end" },
  ];

  it("counts its tool calls from 0, whatever stood before them", () => {
    const calls = told(said).flatMap(
      (chunk) => JSON.stringify(chunk).match(/"tool_calls":\[\{"index":(\d+)/) ?? [],
    );
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.filter((_, at) => at % 2 === 1)).toEqual(
      calls.filter((_, at) => at % 2 === 1).map(() => "0"),
    );
  });

  it.each([
    ["stop", "stop"],
    ["stop_sequence", "stop"],
    ["length", "length"],
    ["tool_calls", "tool_calls"],
    ["refused", "content_filter"],
  ] as const)("ends as %s with %s", (reason, finish) => {
    const events = said.map((event) => (event.kind === "finish" ? { ...event, reason } : event));
    expect(JSON.stringify(told(events))).toContain(`"finish_reason":"${finish}"`);
  });

  it("gets a chunk with usage and no choice if it asked for one, and only then", () => {
    const usage = { prompt_tokens: 17, completion_tokens: 7, total_tokens: 24 };
    const asked = told(said, { stream_options: { include_usage: true } });
    expect(asked.at(-1)).toMatchObject({ choices: [], usage });
    expect(told(said).some((chunk) => Array.isArray(chunk.choices) && chunk.choices.length === 0)).toBe(
      false,
    );
  });
});

describe("20: a chat in front of Responses", () => {
  const long = "mcp__a_server_with_a_rather_long_name__and_a_tool_whose_name_is_longer_still";

  it("has names of more than 64 characters shortened, apart, and as they were for the client", () => {
    const names = [`${long}_1`, `${long}_2`];
    const request = toResponses({ messages: [{ role: "user", content: "Hi" }], tools: names.map(tool) });
    const sent = (request.body.tools as { name: string }[]).map(({ name }) => name);
    expect(new Set(sent).size).toBe(2);
    for (const name of sent) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    const answer = {
      output: sent.map((name, at) => ({
        type: "function_call",
        id: `fc_${String(at)}`,
        call_id: `call_${String(at)}`,
        name,
        arguments: "{}",
      })),
      status: "completed",
    };
    const { calls } = toldBy(request.createDecoder(FACTS).whole(answer));
    expect(calls.map(({ name }) => name)).toEqual(names);
  });

  it("keeps apart the arguments of calls that come side by side", () => {
    const item = (at: number) => ({
      type: "function_call",
      id: `fc_${String(at)}`,
      call_id: `call_${String(at)}`,
      name: "find",
    });
    const events = [
      { type: "response.created", response: { id: "resp_1", status: "in_progress" } },
      { type: "response.output_item.added", output_index: 0, item: { ...item(0), arguments: "" } },
      { type: "response.output_item.added", output_index: 1, item: { ...item(1), arguments: "" } },
      { type: "response.function_call_arguments.delta", output_index: 1, item_id: "fc_1", delta: '{"q":' },
      { type: "response.function_call_arguments.delta", output_index: 0, item_id: "fc_0", delta: '{"q":0' },
      { type: "response.function_call_arguments.delta", output_index: 1, item_id: "fc_1", delta: "1}" },
      { type: "response.function_call_arguments.delta", output_index: 0, item_id: "fc_0", delta: "}" },
      { type: "response.output_item.done", output_index: 0, item: { ...item(0), arguments: '{"q":0}' } },
      { type: "response.output_item.done", output_index: 1, item: { ...item(1), arguments: '{"q":1}' } },
      { type: "response.completed", response: { id: "resp_1", status: "completed", output: [] } },
    ];
    const stream = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
    const request = toResponses({
      messages: [{ role: "user", content: "Hi" }],
      tools: [tool("find")],
    });
    expect(toldBy(readStream(stream, request.createDecoder(FACTS))).calls).toEqual([
      { id: "call_0", name: "find", arguments: { q: 0 } },
      { id: "call_1", name: "find", arguments: { q: 1 } },
    ]);
  });

  it("asks for a schema in the upstream's words", () => {
    const schema = { type: "object", properties: { a: { type: "string" } } };
    const { body } = toResponses({
      messages: [{ role: "user", content: "Hi" }],
      response_format: { type: "json_schema", json_schema: { name: "answer", schema, strict: true } },
    });
    expect(body).toMatchObject({
      text: { format: { type: "json_schema", name: "answer", schema, strict: true } },
    });
  });

  it("makes one answer of a whole one: reasoning, text and calls", () => {
    const request = toResponses({ messages: [{ role: "user", content: "Hi" }], tools: [tool("find")] });
    const events = request.createDecoder(FACTS).whole({
      status: "completed",
      output: [
        { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "Hm." }] },
        { type: "message", role: "assistant", content: [{ type: "output_text", text: "Well." }] },
        { type: "function_call", id: "fc_1", call_id: "call_1", name: "find", arguments: '{"q":1}' },
      ],
      usage: { input_tokens: 3, output_tokens: 4 },
    });
    const encoder = CROSSINGS["openai-chat"].client.createEncoder(chatOf({}), FACTS);
    expect(JSON.parse(encoder.whole(events))).toMatchObject({
      object: "chat.completion",
      choices: [
        {
          finish_reason: "tool_calls",
          message: {
            content: "Well.",
            reasoning_content: "Hm.",
            tool_calls: [{ id: "call_1", function: { name: "find", arguments: '{"q":1}' } }],
          },
        },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
    });
  });
});
