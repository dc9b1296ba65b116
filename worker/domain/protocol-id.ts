/** The wire dialects that clients speak. Pure. */

export const PROTOCOL_IDS = ["anthropic", "openai-responses", "openai-chat", "gemini"] as const;
export type ProtocolId = (typeof PROTOCOL_IDS)[number];
