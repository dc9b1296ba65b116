/** The usage the fake reports when no behaviour fixes it: a function of the request, so that tests can sum it. Pure. */
import type { Usage } from "./behaviour.ts";
import { readConversation } from "./conversation.ts";
import { isRecord, recordsOf, type JsonRecord } from "./record.ts";

/**
 * - input: 10 + the UTF-16 length of the prompt
 * - output: 20 + that length modulo 50
 * - cache writes: 100 for each cache_control marker, 200 (as 1 h) for each with `ttl: "1h"`
 * - cache reads: 300 when the conversation has more than one message
 */
export function derivedUsage(body: JsonRecord): Usage {
  const { prompt, messageCount } = readConversation(body);
  const markers = cacheMarkers(body);
  const hours = markers.filter((marker) => marker["ttl"] === "1h").length;
  const written = { short: (markers.length - hours) * 100, long: hours * 200 };
  return {
    input_tokens: 10 + prompt.length,
    cache_creation_input_tokens: written.short + written.long,
    cache_creation: { ephemeral_5m_input_tokens: written.short, ephemeral_1h_input_tokens: written.long },
    cache_read_input_tokens: messageCount > 1 ? 300 : 0,
    output_tokens: 20 + (prompt.length % 50),
    server_tool_use: { web_search_requests: 0 },
    service_tier: "standard",
  };
}

/** Lets the behaviour's figures win, and keeps the total of the cache writes equal to its parts where only one is given. */
export function withFigures(derived: Usage, fixed: Partial<Usage> | undefined): Usage {
  if (fixed === undefined) return derived;
  const usage = { ...derived, ...fixed };
  if (fixed.cache_creation !== undefined && fixed.cache_creation_input_tokens === undefined) {
    const { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long } = fixed.cache_creation;
    return { ...usage, cache_creation_input_tokens: short + long };
  }
  if (fixed.cache_creation === undefined && fixed.cache_creation_input_tokens !== undefined) {
    const short = fixed.cache_creation_input_tokens;
    return {
      ...usage,
      cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: 0 },
    };
  }
  return usage;
}

function cacheMarkers(body: JsonRecord): readonly JsonRecord[] {
  const holders = [
    body,
    ...recordsOf(body["system"]),
    ...recordsOf(body["tools"]),
    ...recordsOf(body["messages"]).flatMap((message) => recordsOf(message["content"])),
  ];
  return holders.map((holder) => holder["cache_control"]).filter(isRecord);
}
