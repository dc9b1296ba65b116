/** The wire dialects that clients speak. Pure. */
export type ProtocolId = "anthropic";
