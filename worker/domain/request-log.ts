/** A request's end as one line of the log, in OpenTelemetry's names for generative AI. No content, no secret. Pure. */
import type { UsageRecord } from "./usage.ts";

/** The convention's words for what a dialect does; `chat` for all but Google's. */
const operationOf = ({ protocol }: UsageRecord) => (protocol === "gemini" ? "generate_content" : "chat");

/**
 * `gen_ai.usage.input_tokens` is the whole prompt, with what was read from and written to a cache, as the convention
 * wants it (OpenTelemetry semantic conventions for generative AI, "Attributes").
 */
export function requestLine(record: UsageRecord): Readonly<Record<string, unknown>> {
  const { tokens } = record;
  const cacheWrites = tokens.cacheWrite5m + tokens.cacheWrite1h;
  return {
    event: "request",
    requestId: record.requestId,
    keyId: record.keyId,
    accountId: record.accountId,
    status: record.status,
    outcome: record.outcome,
    ...(record.error === null ? {} : { "error.type": record.error }),
    attempts: record.attempts,
    stream: record.stream,
    durationMs: record.endedAt - record.startedAt,
    firstByteMs: record.firstByteAt === null ? null : record.firstByteAt - record.startedAt,
    costNano: record.cost,
    "gen_ai.operation.name": operationOf(record),
    "gen_ai.provider.name": record.provider,
    "gen_ai.request.model": record.requestedModel,
    "gen_ai.response.model": record.model,
    "gen_ai.usage.input_tokens": tokens.input + tokens.cacheRead + cacheWrites,
    "gen_ai.usage.output_tokens": tokens.output,
    "gen_ai.usage.cache_read.input_tokens": tokens.cacheRead,
    "gen_ai.usage.cache_creation.input_tokens": cacheWrites,
  };
}
