/** Anthropic's Messages API. Pure. */
import { MODELS_JSON, messageJson } from "./anthropic-json.ts";
import { encodeEvent, errorEvent, messageEvents, textDelta } from "./anthropic-sse.ts";
import { errorBody } from "./behaviour.ts";
import type { Dialect } from "./dialect.ts";
import { errorStatusOf } from "./error-status.ts";
import { limitHeaders } from "./response-headers.ts";

export const anthropicDialect: Dialect = {
  streamType: "text/event-stream; charset=utf-8",
  normalize: (body) => (Array.isArray(body["messages"]) ? body : null),
  missing: "messages: Field required",
  json: messageJson,
  other: (endpoint, usage) =>
    endpoint === "models" ? MODELS_JSON : JSON.stringify({ input_tokens: usage.input_tokens }),
  events: messageEvents,
  encode: encodeEvent,
  delta: textDelta,
  errorEvent: (type, message, { requestId }) => errorEvent(type, message, requestId),
  errorAnswer: (type, message) => ({ status: errorStatusOf(type), body: errorBody(type, message) }),
  limitHeaders,
};
