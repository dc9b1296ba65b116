/** The Messages API as a dialect of the fake. Pure. */
import { MODELS_JSON, messageJson } from "./anthropic-json.ts";
import { encodeEvent, errorEvent, messageEvents, textDelta } from "./anthropic-sse.ts";
import { errorBody } from "./behaviour.ts";
import type { Dialect } from "./dialect.ts";

const ERROR_STATUS: Readonly<Record<string, number>> = {
  overloaded_error: 529,
  rate_limit_error: 429,
  authentication_error: 401,
  permission_error: 403,
  invalid_request_error: 400,
  timeout_error: 504,
};

export const anthropicDialect: Dialect = {
  streamType: "text/event-stream; charset=utf-8",
  events: messageEvents,
  encode: encodeEvent,
  json: messageJson,
  other: (endpoint, usage) =>
    endpoint === "models" ? MODELS_JSON : JSON.stringify({ input_tokens: usage.input_tokens }),
  textEvent: (text) => textDelta(0, text),
  errorEvent: (type, message, { requestId }) => errorEvent(type, message, requestId),
  errorAnswer: (type, message) => ({
    status: ERROR_STATUS[type] ?? 500,
    body: errorBody(type, message),
  }),
};
