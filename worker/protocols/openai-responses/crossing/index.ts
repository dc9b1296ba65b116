/** How this dialect is spoken with clients and upstreams of others. Pure. */
import type { Crossing } from "../../translate.ts";
import { decodeRequest } from "./decode-request.ts";
import { createEncoder } from "./encode-answer.ts";
import { encodeRequest } from "./encode-request.ts";

export const crossing: Crossing = {
  client: { decodeRequest, createEncoder },
  // OpenAI fetches what has an address.
  upstream: { needsInlineMedia: false, encodeRequest },
};
