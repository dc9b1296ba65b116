/** The registry of protocols: adding one adds a folder and a line here. */
import type { ProtocolId } from "../domain/protocol-id.ts";
import { anthropic } from "./anthropic/index.ts";
import { gemini } from "./gemini/index.ts";
import { openaiChat } from "./openai-chat/index.ts";
import { openaiResponses } from "./openai-responses/index.ts";
import type { Protocol } from "./protocol.ts";

export const PROTOCOLS = {
  anthropic,
  "openai-responses": openaiResponses,
  "openai-chat": openaiChat,
  gemini,
} as const satisfies Record<ProtocolId, Protocol>;
