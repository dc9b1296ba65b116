/** Chat Completions on either side of a crossing to or from another dialect. Pure. */
import type { Crossing } from "../../translate.ts";
import { decodeRequest } from "./decode-request.ts";
import { createEncoder } from "./encode-answer.ts";
import { encodeRequest } from "./encode-request.ts";

export const crossing: Crossing = {
  client: { decodeRequest, createEncoder },
  // Pictures may be addresses; documents may not, and are told so.
  upstream: { needsInlineMedia: false, encodeRequest },
};
