/** Renders a reply as the JSON body of the Messages API. Pure. */
import type { AnswerShape } from "./behaviour.ts";
import type { Block, Reply } from "./reply.ts";

export function messageJson(reply: Reply, shape: AnswerShape): string {
  return JSON.stringify({
    id: reply.id,
    type: "message",
    role: "assistant",
    model: reply.model,
    content: reply.blocks.map(contentBlock),
    stop_reason: reply.stopReason,
    stop_sequence: null,
    ...(shape.omitUsage === true ? {} : { usage: reply.usage }),
  });
}

function contentBlock(block: Block) {
  switch (block.type) {
    case "thinking":
      return { type: "thinking", thinking: block.pieces.join(""), signature: block.signature };
    case "text":
      return { type: "text", text: block.pieces.join("") };
    case "tool_use":
      return { type: "tool_use", id: block.id, name: block.name, input: block.input };
  }
}

/** The list of `GET /v1/models`. */
export const MODELS_JSON = JSON.stringify({
  data: [
    ["claude-opus-5-5", "Claude Opus 5.5", "2026-09-01T00:00:00Z"],
    ["claude-sonnet-4-5", "Claude Sonnet 4.5", "2025-09-29T00:00:00Z"],
    ["claude-haiku-4-5", "Claude Haiku 4.5", "2025-10-15T00:00:00Z"],
  ].map(([id, display_name, created_at]) => ({ type: "model", id, display_name, created_at })),
  has_more: false,
  first_id: "claude-opus-5-5",
  last_id: "claude-haiku-4-5",
});
