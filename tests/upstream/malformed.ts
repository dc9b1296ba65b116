/** Answers that break the protocol, each in one way. */
import { gzipSync } from "node:zlib";
import { messageJson } from "./anthropic-json.ts";
import { encodeEvent, messageEvents, type SseEvent } from "./anthropic-sse.ts";
import type { Malformation } from "./behaviour.ts";
import { cutConnection, sendBody, type Exchange } from "./exchange.ts";
import { composeReply } from "./reply.ts";
import { commonHeaders, type HeaderMap } from "./response-headers.ts";

const SSE_TYPE = "text/event-stream; charset=utf-8";
const JSON_TYPE = "application/json";
/** Before any content: the second event is content_block_start. */
const CORRUPT_EVENT = 1;

export async function performMalformed(exchange: Exchange, what: Malformation): Promise<void> {
  const { response } = exchange;
  const isStream = exchange.conversation.stream;
  const rightType = isStream ? SSE_TYPE : JSON_TYPE;
  const body = wellFormedBody(exchange);
  switch (what) {
    case "json":
      return sendBody(
        response,
        200,
        headersOf(exchange, JSON_TYPE),
        '{"id":"msg_broken","type":"message","content":[{"ty',
      );
    case "sse":
      return sendBody(response, 200, headersOf(exchange, SSE_TYPE), brokenStream(exchange));
    case "html":
      return sendBody(
        response,
        200,
        headersOf(exchange, "text/html"),
        "<!doctype html><title>Sign in</title><p>Hello",
      );
    case "wrongContentType":
      return sendBody(response, 200, headersOf(exchange, isStream ? JSON_TYPE : "text/plain"), body);
    case "wrongLength":
      return await sendShort(exchange, headersOf(exchange, rightType), body);
    case "truncatedGzip":
      return sendTruncatedGzip(exchange, headersOf(exchange, rightType), body);
    case "checksum":
      return sendBody(
        response,
        200,
        headersOf(exchange, exchange.dialect.streamType),
        corruptStream(exchange),
      );
    case "brokenUsage":
      return sendBody(response, 200, headersOf(exchange, rightType), withBrokenUsage(body));
  }
}

function headersOf(exchange: Exchange, contentType: string): HeaderMap {
  return { ...commonHeaders(exchange.requestId), "content-type": contentType };
}

function eventsOf(exchange: Exchange): readonly SseEvent[] {
  return messageEvents(composeReply(exchange.body, exchange.conversation, {}, "msg_malformed"), {});
}

function wellFormedBody(exchange: Exchange): string {
  if (!exchange.conversation.stream) {
    return messageJson(composeReply(exchange.body, exchange.conversation, {}, "msg_malformed"), {});
  }
  return eventsOf(exchange)
    .map((sse) => encodeEvent(sse, {}, 0))
    .join("");
}

/** Broken JSON, an unknown event, a line without colon and an event without data, all amid a complete answer. */
function brokenStream(exchange: Exchange): string {
  const rubbish =
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"ty\n\n' +
    'event: never_heard_of\ndata: {"type":"never_heard_of","x":1}\n\n' +
    "a line without a colon\n\nevent: ping\n\n";
  const encoded = eventsOf(exchange).map((sse) => encodeEvent(sse, {}, 0));
  return [...encoded.slice(0, 4), rubbish, ...encoded.slice(4)].join("");
}

/** One event amid a complete answer is not as it was meant. */
function corruptStream(exchange: Exchange): Buffer {
  const { dialect } = exchange;
  const encoded = eventsOf(exchange).map((sse, index) =>
    index === CORRUPT_EVENT ? dialect.corrupt(sse) : dialect.encode(sse, {}, 0),
  );
  return Buffer.concat(encoded);
}

/** Promises more bytes than come. */
async function sendShort(exchange: Exchange, headers: HeaderMap, body: string): Promise<void> {
  exchange.response.writeHead(200, { ...headers, "content-length": Buffer.byteLength(body) + 1_000 });
  await new Promise<void>((resolve) => {
    exchange.response.write(body, () => {
      resolve();
    });
  });
  await cutConnection(exchange);
}

function sendTruncatedGzip(exchange: Exchange, headers: HeaderMap, body: string): void {
  const whole = gzipSync(body);
  const half = whole.subarray(0, whole.length / 2);
  exchange.response.writeHead(200, { ...headers, "content-encoding": "gzip", "content-length": half.length });
  exchange.response.end(half);
}

function withBrokenUsage(body: string): string {
  return body
    .replaceAll(/"input_tokens":\d+/g, '"input_tokens":"many"')
    .replaceAll(/"output_tokens":\d+/g, '"output_tokens":-3')
    .replaceAll(/"cache_read_input_tokens":\d+/g, '"cache_read_input_tokens":null')
    .replaceAll(/"cache_creation":\{[^}]*\}/g, '"cache_creation":"none"');
}
