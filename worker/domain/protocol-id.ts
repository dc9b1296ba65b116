/** The wire dialects that clients speak. Pure. */

export const PROTOCOL_IDS = ["anthropic", "gemini"] as const;
export type ProtocolId = (typeof PROTOCOL_IDS)[number];
