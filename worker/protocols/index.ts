/** The registry of protocols: adding one adds a folder and a line here. */
import type { ProtocolId } from "../domain/protocol-id.ts";
import { anthropic } from "./anthropic/index.ts";
import { gemini } from "./gemini/index.ts";
import type { Protocol } from "./protocol.ts";

export const PROTOCOLS = { anthropic, gemini } as const satisfies Record<ProtocolId, Protocol>;
