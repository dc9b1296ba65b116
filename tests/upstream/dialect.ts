/** How an answer is put on the wire: Anthropic's events as text, or in Bedrock's frames. Pure. */
import { encodeEvent, errorEvent, type SseEvent } from "./anthropic-sse.ts";
import { chunkFrame, exceptionFrame, withWrongChecksum } from "./bedrock-frames.ts";
import type { AnswerShape } from "./behaviour.ts";
import { derivedUsage, withFigures } from "./derived-usage.ts";
import type { JsonRecord } from "./record.ts";

export type Dialect = {
  readonly streamType: string;
  /** `sentAtMs` goes into events that tell it. */
  readonly encode: (sse: SseEvent, shape: AnswerShape, sentAtMs: number) => Buffer;
  readonly encodeError: (type: string, message: string, requestId: string, shape: AnswerShape) => Buffer;
  /** The event, but not as it was meant. */
  readonly corrupt: (sse: SseEvent) => Buffer;
  readonly countJson: (inputTokens: number) => string;
};

export const ANTHROPIC_DIALECT: Dialect = {
  streamType: "text/event-stream; charset=utf-8",
  encode: (...event) => Buffer.from(encodeEvent(...event)),
  encodeError: (type, message, requestId, shape) =>
    Buffer.from(encodeEvent(errorEvent(type, message, requestId), shape, 0)),
  corrupt: (sse) => Buffer.from(`event: ${sse.name}\ndata: {"type":"${sse.name}","x":\n\n`),
  countJson: (inputTokens) => JSON.stringify({ input_tokens: inputTokens }),
};

/** Exceptions in a stream's spelling; a behaviour may also name one itself. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  rate_limit_error: "throttlingException",
  overloaded_error: "serviceUnavailableException",
  timeout_error: "modelTimeoutException",
  invalid_request_error: "validationException",
};

export function bedrockDialect(body: JsonRecord): Dialect {
  const encode: Dialect["encode"] = (sse, shape, sentAtMs) => {
    const json = typeof sse.json === "string" ? sse.json : sse.json(sentAtMs);
    const isLast = sse.name === "message_stop";
    return Buffer.from(chunkFrame(isLast ? json.replace("}", `,${metrics(body, shape)}}`) : json));
  };
  return {
    streamType: "application/vnd.amazon.eventstream",
    encode,
    encodeError: (type, message) => {
      const name = type.endsWith("Exception") ? type : (EXCEPTIONS[type] ?? "internalServerException");
      return Buffer.from(exceptionFrame(name, message));
    },
    corrupt: (sse) => Buffer.from(withWrongChecksum(encode(sse, {}, 0))),
    countJson: (inputTokens) => JSON.stringify({ inputTokens }),
  };
}

function metrics(body: JsonRecord, shape: AnswerShape): string {
  const usage = withFigures(derivedUsage(body), shape.usage);
  const totals = {
    inputTokenCount: usage.input_tokens,
    outputTokenCount: usage.output_tokens,
    invocationLatency: 1_234,
    firstByteLatency: 321,
    cacheReadInputTokenCount: usage.cache_read_input_tokens,
    cacheWriteInputTokenCount: usage.cache_creation_input_tokens,
  };
  return `"amazon-bedrock-invocationMetrics":${JSON.stringify(totals)}`;
}
