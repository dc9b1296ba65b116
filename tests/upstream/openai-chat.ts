/** OpenAI's Chat Completions API. Pure. */
import type { SseEvent } from "./anthropic-sse.ts";
import type { AnswerShape } from "./behaviour.ts";
import type { Dialect } from "./dialect.ts";
import { inAnthropicForm, OPENAI, openAiErrorBody, openAiFigures, tierOf } from "./openai.ts";
import { isRecord, recordsOf, type JsonRecord } from "./record.ts";
import type { Block, Reply } from "./reply.ts";

const frame = (payload: JsonRecord): SseEvent => ({
  name: null,
  json: JSON.stringify(payload),
  reports: null,
});

const finishReason = (reply: Reply) => (reply.stopReason === "tool_use" ? "tool_calls" : "stop");

function usageOf(reply: Reply): JsonRecord {
  const { input, inputDetails, output, outputDetails, total } = openAiFigures(reply.usage);
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: total,
    prompt_tokens_details: inputDetails,
    completion_tokens_details: outputDetails,
  };
}

type ToolUse = Extract<Block, { type: "tool_use" }>;

const callOf = (block: ToolUse) => ({
  id: block.id,
  type: "function",
  function: { name: block.name, arguments: JSON.stringify(block.input) },
});

/** Later pieces of a call name it by its place among the calls alone. */
function callDeltas(block: ToolUse, index: number): readonly JsonRecord[] {
  const { function: called, ...call } = callOf(block);
  const half = Math.ceil(called.arguments.length / 2);
  return [
    { index, ...call, function: { name: called.name, arguments: "" } },
    { index, function: { arguments: called.arguments.slice(0, half) } },
    { index, function: { arguments: called.arguments.slice(half) } },
  ].map((piece) => ({ tool_calls: [piece] }));
}

function deltasOf(block: Block, calls: readonly Block[]): readonly JsonRecord[] {
  switch (block.type) {
    case "thinking":
      return [];
    case "text":
      return block.pieces.map((content) => ({ content }));
    case "tool_use":
      return callDeltas(block, calls.indexOf(block));
  }
}

const wantsUsage = (body: JsonRecord): boolean =>
  isRecord(body["stream_options"]) && body["stream_options"]["include_usage"] === true;

function events(reply: Reply, shape: AnswerShape, body: JsonRecord): readonly SseEvent[] {
  const isAsked = wantsUsage(body) && shape.omitUsage !== true;
  const chunk = (choices: readonly JsonRecord[], usage: JsonRecord | null = null) =>
    frame({
      id: reply.id.replace("msg_", "chatcmpl-"),
      object: "chat.completion.chunk",
      created: 1_790_000_000,
      model: reply.model,
      service_tier: tierOf(reply.usage),
      choices,
      ...(isAsked ? { usage } : {}),
    });
  const choice = (delta: JsonRecord, finish_reason: string | null = null) => [
    { index: 0, delta, finish_reason },
  ];
  const calls = reply.blocks.filter((block) => block.type === "tool_use");
  const deltas = reply.blocks.flatMap((block) => deltasOf(block, calls));
  return [
    chunk(choice({ role: "assistant", content: "" })),
    ...deltas.map((delta) => chunk(choice(delta))),
    chunk(choice({}, finishReason(reply))),
    ...(isAsked ? [{ ...chunk([], usageOf(reply)), reports: "final" } as const] : []),
    { name: null, json: "[DONE]", reports: null },
  ];
}

function json(reply: Reply, shape: AnswerShape): string {
  const text = reply.blocks.flatMap((block) => (block.type === "text" ? block.pieces : [])).join("");
  const calls = reply.blocks.filter((block) => block.type === "tool_use").map(callOf);
  const message = { role: "assistant", content: text, ...(calls.length === 0 ? {} : { tool_calls: calls }) };
  return JSON.stringify({
    id: reply.id.replace("msg_", "chatcmpl-"),
    object: "chat.completion",
    created: 1_790_000_000,
    model: reply.model,
    service_tier: tierOf(reply.usage),
    choices: [{ index: 0, message, finish_reason: finishReason(reply) }],
    ...(shape.omitUsage === true ? {} : { usage: usageOf(reply) }),
  });
}

export const chatDialect: Dialect = {
  ...OPENAI,
  normalize: (body) =>
    Array.isArray(body["messages"]) ? inAnthropicForm(body, recordsOf(body["messages"])) : null,
  missing: "Missing required parameter: 'messages'.",
  json,
  events,
  delta: (index, content) => frame({ choices: [{ index, delta: { content }, finish_reason: null }] }),
  errorEvent: (type, message) => frame(openAiErrorBody(type, message)),
};
