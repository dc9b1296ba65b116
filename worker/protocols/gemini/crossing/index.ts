/** Google's dialect on either side of a translation: the generate calls of the Gemini API. Pure. */
import type { Crossing } from "../../translate.ts";
import { decodeRequest } from "./decode-request.ts";
import { encodeRequest } from "./encode-request.ts";
import { createEncoder } from "./encode-answer.ts";

export const crossing: Crossing = {
  client: { decodeRequest, createEncoder },
  upstream: { needsInlineMedia: true, encodeRequest },
};
