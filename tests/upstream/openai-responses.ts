/** OpenAI's Responses API. Pure. */
import type { SseEvent } from "./anthropic-sse.ts";
import type { AnswerShape } from "./behaviour.ts";
import type { Dialect } from "./dialect.ts";
import { inAnthropicForm, OPENAI, openAiFigures, tierOf } from "./openai.ts";
import { recordsOf, type JsonRecord } from "./record.ts";
import type { Block, Reply } from "./reply.ts";

type Payload = { readonly type: string } & JsonRecord;

const event = (payload: Payload): SseEvent => ({
  name: payload.type,
  json: JSON.stringify(payload),
  reports: null,
});

const idOf = (reply: Reply) => reply.id.replace("msg_", "resp_");

function itemOf(block: Block, id: string): JsonRecord {
  switch (block.type) {
    case "thinking":
      return { id: `rs_${id}`, type: "reasoning", summary: [], encrypted_content: block.signature };
    case "text":
      return {
        id,
        type: "message",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: block.pieces.join(""), annotations: [] }],
      };
    case "tool_use":
      return {
        id: block.id.replace("toolu_", "fc_"),
        call_id: block.id,
        name: block.name,
        status: "completed",
        ...(block.script === undefined
          ? { type: "function_call", arguments: JSON.stringify(block.input) }
          : { type: "custom_tool_call", input: block.script }),
      };
  }
}

function responseOf(reply: Reply, shape: AnswerShape, status: "completed" | "in_progress"): JsonRecord {
  const { input, inputDetails, output, outputDetails, total } = openAiFigures(reply.usage);
  const isWhole = status === "completed";
  const usage = {
    input_tokens: input,
    input_tokens_details: inputDetails,
    output_tokens: output,
    output_tokens_details: outputDetails,
    total_tokens: total,
  };
  return {
    id: idOf(reply),
    object: "response",
    created_at: 1_790_000_000,
    status,
    model: reply.model,
    service_tier: isWhole ? tierOf(reply.usage) : "auto",
    output: isWhole ? reply.blocks.map((block) => itemOf(block, reply.id)) : [],
    usage: isWhole && shape.omitUsage !== true ? usage : null,
    error: null,
  };
}

/** What a call is given, in pieces and then whole. */
function inputEvents({ script, input }: Extract<Block, { type: "tool_use" }>): readonly Payload[] {
  const name = script === undefined ? "function_call_arguments" : "custom_tool_call_input";
  const whole = script ?? JSON.stringify(input);
  const half = Math.ceil(whole.length / 2);
  return [
    ...[whole.slice(0, half), whole.slice(half)].map((delta) => ({ type: `response.${name}.delta`, delta })),
    { type: `response.${name}.done`, [script === undefined ? "arguments" : "input"]: whole },
  ];
}

/** A call's input is told later. */
const begun = (item: JsonRecord): JsonRecord => ({
  ...item,
  status: "in_progress",
  ...("arguments" in item ? { arguments: "" } : {}),
  ...("input" in item ? { input: "" } : {}),
});

function blockEvents(block: Block, index: number, reply: Reply): readonly Payload[] {
  const item = itemOf(block, reply.id);
  const place = { item_id: item["id"], output_index: index };
  const added = {
    type: "response.output_item.added",
    output_index: index,
    item: begun(item),
  };
  const done = { type: "response.output_item.done", output_index: index, item };
  switch (block.type) {
    case "thinking":
      return [added, done];
    case "text":
      return [
        added,
        ...block.pieces.map((delta) => ({
          type: "response.output_text.delta",
          ...place,
          content_index: 0,
          delta,
        })),
        { type: "response.output_text.done", ...place, content_index: 0, text: block.pieces.join("") },
        done,
      ];
    case "tool_use":
      return [added, ...inputEvents(block).map((payload) => ({ ...payload, ...place })), done];
  }
}

/** The type comes first, as OpenAI has it; the number tells the order. */
const numbered = ({ type, ...payload }: Payload, index: number): Payload => ({
  type,
  sequence_number: index,
  ...payload,
});

function events(reply: Reply, shape: AnswerShape): readonly SseEvent[] {
  const started = responseOf(reply, shape, "in_progress");
  const payloads = [
    { type: "response.created", response: started },
    { type: "response.in_progress", response: started },
    ...reply.blocks.flatMap((block, index) => blockEvents(block, index, reply)),
    { type: "response.completed", response: responseOf(reply, shape, "completed") },
  ];
  return payloads.map((payload, index) => {
    const isLast = index === payloads.length - 1;
    return {
      ...event(numbered(payload, index)),
      reports: isLast && shape.omitUsage !== true ? "final" : null,
    };
  });
}

const failed = (code: string, message: string): SseEvent =>
  event({
    type: "response.failed",
    sequence_number: 99,
    response: {
      id: "resp_failed",
      object: "response",
      status: "failed",
      error: { code, message },
      usage: null,
    },
  });

export const responsesDialect: Dialect = {
  ...OPENAI,
  normalize: (body) => {
    const { input } = body;
    if (typeof input === "string") return inAnthropicForm(body, [{ role: "user", content: input }]);
    return Array.isArray(input) ? inAnthropicForm(body, recordsOf(input)) : null;
  },
  missing: "Missing required parameter: 'input'.",
  json: (reply, shape) => JSON.stringify(responseOf(reply, shape, "completed")),
  events,
  delta: (index, text) =>
    event({ type: "response.output_text.delta", item_id: "msg_1", output_index: index, delta: text }),
  errorEvent: failed,
};
