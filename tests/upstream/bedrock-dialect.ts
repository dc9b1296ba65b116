/** Bedrock's runtime: Anthropic's events in frames of its own, and exceptions for errors. Pure. */
import { messageJson } from "./anthropic-json.ts";
import { messageEvents, textDelta } from "./anthropic-sse.ts";
import { bedrockBody, signatureRefusal, type BedrockRoute } from "./bedrock.ts";
import { chunkFrame, exceptionFrameOf } from "./bedrock-frames.ts";
import { bedrockError, type Usage } from "./behaviour.ts";
import type { Dialect } from "./dialect.ts";
import { errorStatusOf } from "./error-status.ts";
import { parseJson } from "./record.ts";

/** Exceptions in a stream's spelling; a behaviour may also name one itself. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  rate_limit_error: "throttlingException",
  overloaded_error: "serviceUnavailableException",
  timeout_error: "modelTimeoutException",
  invalid_request_error: "validationException",
};

const exceptionOf = (type: string) =>
  type.endsWith("Exception") ? type : (EXCEPTIONS[type] ?? "internalServerException");

export function bedrockDialect(route: BedrockRoute): Dialect {
  return {
    streamType: "application/vnd.amazon.eventstream",
    refusal: (request, nowMs) => {
      const refusal = signatureRefusal(request, nowMs);
      if (refusal !== null) return refusal;
      const read = bedrockBody(parseJson(request.body.toString()), route);
      return read.kind === "refused" ? read.refusal : null;
    },
    normalize: (outer) => {
      const read = bedrockBody(outer, route);
      return read.kind === "taken" ? read.body : null;
    },
    missing: "Malformed input request",
    json: messageJson,
    other: (_endpoint, usage) => JSON.stringify({ inputTokens: usage.input_tokens }),
    events: (reply, shape) =>
      messageEvents(reply, shape).map((sse) =>
        sse.name === "message_stop" ? { ...sse, json: stopJson(reply.usage) } : sse,
      ),
    encode: ({ name, json }, _shape, sentAtMs) => {
      const payload = typeof json === "string" ? json : json(sentAtMs);
      return name?.endsWith("Exception") === true ? exceptionFrameOf(name, payload) : chunkFrame(payload);
    },
    delta: textDelta,
    errorEvent: (type, message) => ({
      name: exceptionOf(type),
      json: JSON.stringify({ message }),
      reports: null,
    }),
    errorAnswer: (type, message) => {
      const name = exceptionOf(type);
      return bedrockError(errorStatusOf(type), `${name.charAt(0).toUpperCase()}${name.slice(1)}`, message);
    },
    limitHeaders: () => ({}),
  };
}

/** Bedrock adds its own sums to the last event. */
function stopJson(usage: Usage): string {
  return JSON.stringify({
    type: "message_stop",
    "amazon-bedrock-invocationMetrics": {
      inputTokenCount: usage.input_tokens,
      outputTokenCount: usage.output_tokens,
      invocationLatency: 1_234,
      firstByteLatency: 321,
      cacheReadInputTokenCount: usage.cache_read_input_tokens,
      cacheWriteInputTokenCount: usage.cache_creation_input_tokens,
    },
  });
}
