/** How each dialect is spoken with those who speak another. */
import type { ProtocolId } from "../domain/protocol-id.ts";
import type { Crossing } from "./translate.ts";

export const CROSSINGS: Readonly<Partial<Record<ProtocolId, Crossing>>> = {};
