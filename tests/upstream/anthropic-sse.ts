/** Renders a reply as the server-sent events of the Messages API. Pure. */
import type { AnswerShape, Usage } from "./behaviour.ts";
import type { Block, Reply } from "./reply.ts";

export type SseEvent = {
  /** null: the event has no name, as in OpenAI's chat. */
  readonly name: string | null;
  /** A function when the moment of sending goes into it. */
  readonly json: string | ((sentAtMs: number) => string);
  /** Which usage the client knows once it has this event. */
  readonly reports: "started" | "final" | null;
};

export const BYTE_ORDER_MARK = "\uFEFF";

export function messageEvents(reply: Reply, shape: AnswerShape): readonly SseEvent[] {
  return [
    messageStart(reply, shape),
    ...(shape.earlyPing === true ? [event({ type: "ping" })] : []),
    ...reply.blocks.flatMap((block, index) => blockEvents(block, index, shape)),
    messageDelta(reply, shape),
    event({ type: "message_stop" }),
  ];
}

/** One more text delta, for streams without end. */
export function textDelta(index: number, text: string): SseEvent {
  return event({ type: "content_block_delta", index, delta: { type: "text_delta", text } });
}

export function errorEvent(type: string, message: string, requestId: string): SseEvent {
  return event({ type: "error", error: { type, message }, request_id: requestId });
}

export function encodeEvent(sse: SseEvent, shape: AnswerShape, sentAtMs: number): string {
  const end = shape.lineEnd ?? "\n";
  const space = shape.spacelessData === true ? "" : " ";
  const json = typeof sse.json === "string" ? sse.json : sse.json(sentAtMs);
  const name = sse.name === null ? "" : `event:${space}${sse.name}${end}`;
  if (shape.comments !== true) return `${name}data:${space}${json}${end}${end}`;
  return `: between${end}${end}${name}:inside${end}data:${space}${json}${end}${end}`;
}

function event(payload: { readonly type: string } & Record<string, unknown>): SseEvent {
  return { name: payload.type, json: JSON.stringify(payload), reports: null };
}

function messageStart(reply: Reply, shape: AnswerShape): SseEvent {
  const usage = shape.usageInDeltaOnly === true ? NO_USAGE : startUsage(reply.usage);
  const message = {
    id: reply.id,
    type: "message",
    role: "assistant",
    model: reply.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    ...(shape.omitUsage === true ? {} : { usage }),
  };
  const reports = shape.omitUsage === true || shape.usageInDeltaOnly === true ? null : "started";
  return { ...event({ type: "message_start", message }), reports };
}

/** Output is at 1 when the message starts; the real number comes with message_delta, which is cumulative. */
export function startUsage(usage: Usage): Usage {
  return { ...usage, output_tokens: Math.min(1, usage.output_tokens) };
}

const NO_USAGE = { input_tokens: 0, output_tokens: 0 };

function messageDelta(reply: Reply, shape: AnswerShape): SseEvent {
  const { cache_creation, service_tier, ...cumulative } = reply.usage;
  // Only where message_start told nothing does message_delta repeat the split by lifetime.
  const usage =
    shape.usageInDeltaOnly === true ? { ...cumulative, cache_creation, service_tier } : cumulative;
  const payload = {
    type: "message_delta",
    delta: { stop_reason: reply.stopReason, stop_sequence: null },
    ...(shape.omitUsage === true ? {} : { usage }),
  };
  return { ...event(payload), reports: shape.omitUsage === true ? null : "final" };
}

function blockEvents(block: Block, index: number, shape: AnswerShape): readonly SseEvent[] {
  const start = event({ type: "content_block_start", index, content_block: emptyBlock(block) });
  const opening = index === 0 ? [start, event({ type: "ping" })] : [start];
  return [...opening, ...deltas(block, index, shape), event({ type: "content_block_stop", index })];
}

function emptyBlock(block: Block) {
  switch (block.type) {
    case "thinking":
      return { type: "thinking", thinking: "", signature: "" };
    case "text":
      return { type: "text", text: "" };
    case "tool_use":
      return { type: "tool_use", id: block.id, name: block.name, input: {} };
  }
}

function deltas(block: Block, index: number, shape: AnswerShape): readonly SseEvent[] {
  const delta = (payload: Record<string, unknown>) =>
    event({ type: "content_block_delta", index, delta: payload });
  switch (block.type) {
    case "thinking":
      return [
        ...block.pieces.map((thinking) => delta({ type: "thinking_delta", thinking })),
        delta({ type: "signature_delta", signature: block.signature }),
      ];
    case "text":
      return block.pieces.map((text) =>
        shape.sendTimes === true ? timedDelta(index, text) : textDelta(index, text),
      );
    case "tool_use":
      return ["", ...jsonPieces(block.input)].map((partial_json) =>
        delta({ type: "input_json_delta", partial_json }),
      );
  }
}

function timedDelta(index: number, text: string): SseEvent {
  return {
    name: "content_block_delta",
    reports: null,
    json: (sentAtMs) =>
      JSON.stringify({
        type: "content_block_delta",
        index,
        delta: { type: "text_delta", text: `${text} "t":${sentAtMs.toFixed(3)} ` },
      }),
  };
}

function jsonPieces(input: unknown): readonly string[] {
  const json = JSON.stringify(input);
  const half = Math.ceil(json.length / 2);
  return [json.slice(0, half), json.slice(half)];
}
