/** The Anthropic Messages dialect towards accounts and clients that speak another one. Pure. */
import type { Crossing } from "../../translate.ts";
import { decodeRequest } from "./decode-request.ts";
import { createEncoder } from "./encode-answer.ts";
import { encodeRequest } from "./encode-request.ts";

export const crossing: Crossing = {
  client: { decodeRequest, createEncoder: (_call, facts) => createEncoder(facts) },
  // Anthropic fetches pictures and documents itself.
  upstream: { needsInlineMedia: false, encodeRequest },
};
