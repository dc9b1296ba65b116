/** How each dialect is spoken with those who speak another. */
import type { ProtocolId } from "../domain/protocol-id.ts";
import { crossing as anthropic } from "./anthropic/crossing/index.ts";
import { crossing as gemini } from "./gemini/crossing/index.ts";
import { crossing as openaiChat } from "./openai-chat/crossing/index.ts";
import { crossing as openaiResponses } from "./openai-responses/crossing/index.ts";
import type { Crossing } from "./translate.ts";

export const CROSSINGS: Readonly<Record<ProtocolId, Crossing>> = {
  anthropic,
  "openai-chat": openaiChat,
  "openai-responses": openaiResponses,
  gemini,
};
