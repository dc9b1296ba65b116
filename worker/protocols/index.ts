/** The registry of protocols: adding one adds a folder and a line here. */
import type { ProtocolId } from "../domain/protocol-id.ts";
import { anthropic } from "./anthropic/index.ts";
import type { Protocol } from "./protocol.ts";

export const PROTOCOLS = { anthropic } as const satisfies Record<ProtocolId, Protocol>;
