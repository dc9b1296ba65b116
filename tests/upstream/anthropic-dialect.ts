/** Anthropic's Messages API. Pure. */
import { messageJson } from "./anthropic-json.ts";
import { errorEvent, messageEvents, textDelta } from "./anthropic-sse.ts";
import { errorBody } from "./behaviour.ts";
import type { Dialect } from "./dialect.ts";
import { limitHeaders } from "./response-headers.ts";

export const anthropicDialect: Dialect = {
  normalize: (body) => (Array.isArray(body["messages"]) ? body : null),
  missing: "messages: Field required",
  json: messageJson,
  events: messageEvents,
  delta: textDelta,
  errorEvent,
  errorBody,
  limitHeaders,
};
