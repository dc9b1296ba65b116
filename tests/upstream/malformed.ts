/** Answers that break the protocol, each in one way. */
import { gzipSync } from "node:zlib";
import type { SseEvent } from "./anthropic-sse.ts";
import { withWrongChecksum } from "./bedrock-frames.ts";
import type { Malformation } from "./behaviour.ts";
import { cutConnection, sendBody, type Exchange } from "./exchange.ts";
import { composeReply } from "./reply.ts";
import { commonHeaders, type HeaderMap } from "./response-headers.ts";
import { bytesOf } from "./wire.ts";

const JSON_TYPE = "application/json";
/** Before any content: the second event is content_block_start. */
const CORRUPT_EVENT = 1;

export async function performMalformed(exchange: Exchange, what: Malformation): Promise<void> {
  const { response } = exchange;
  const isStream = exchange.conversation.stream;
  const rightType = isStream ? exchange.dialect.streamType : JSON_TYPE;
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
      return sendBody(
        response,
        200,
        headersOf(exchange, exchange.dialect.streamType),
        brokenStream(exchange),
      );
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
      return sendBody(
        response,
        200,
        headersOf(exchange, rightType),
        wellFormedBody(exchange, withBrokenUsage),
      );
  }
}

function headersOf(exchange: Exchange, contentType: string): HeaderMap {
  return { ...commonHeaders(exchange.requestId), "content-type": contentType };
}

function eventsOf(exchange: Exchange): readonly SseEvent[] {
  const reply = composeReply(exchange.body, exchange.conversation, {}, "msg_malformed");
  return exchange.dialect.events(reply, {}, exchange.asked);
}

function wellFormedBody(exchange: Exchange, alter: (json: string) => string = String): Buffer {
  if (!exchange.conversation.stream) {
    const reply = composeReply(exchange.body, exchange.conversation, {}, "msg_malformed");
    return Buffer.from(alter(exchange.dialect.json(reply, {})));
  }
  const events = eventsOf(exchange).map((sse) => {
    return { ...sse, json: alter(typeof sse.json === "string" ? sse.json : sse.json(0)) };
  });
  return Buffer.concat(encodedEvents(exchange, events));
}

function encodedEvents({ dialect }: Exchange, events: readonly SseEvent[]): readonly Buffer[] {
  return events.map((sse) => bytesOf(dialect.encode(sse, {}, 0)));
}

/** Broken JSON, an unknown event, a line without colon and an event without data, all amid a complete answer. */
function brokenStream(exchange: Exchange): Buffer {
  const rubbish =
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"ty\n\n' +
    'event: never_heard_of\ndata: {"type":"never_heard_of","x":1}\n\n' +
    "a line without a colon\n\nevent: ping\n\n";
  const encoded = encodedEvents(exchange, eventsOf(exchange));
  return Buffer.concat([...encoded.slice(0, 4), Buffer.from(rubbish), ...encoded.slice(4)]);
}

/** One bit of one event amid a complete answer is wrong. */
function corruptStream(exchange: Exchange): Buffer {
  const encoded = encodedEvents(exchange, eventsOf(exchange));
  return Buffer.concat(
    encoded.map((bytes, index) => (index === CORRUPT_EVENT ? withWrongChecksum(bytes) : bytes)),
  );
}

/** Promises more bytes than come. */
async function sendShort(exchange: Exchange, headers: HeaderMap, body: Buffer): Promise<void> {
  exchange.response.writeHead(200, { ...headers, "content-length": body.length + 1_000 });
  await new Promise<void>((resolve) => {
    exchange.response.write(body, () => {
      resolve();
    });
  });
  await cutConnection(exchange);
}

function sendTruncatedGzip(exchange: Exchange, headers: HeaderMap, body: Buffer): void {
  const whole = gzipSync(body);
  const half = whole.subarray(0, whole.length / 2);
  exchange.response.writeHead(200, { ...headers, "content-encoding": "gzip", "content-length": half.length });
  exchange.response.end(half);
}

function withBrokenUsage(body: string): string {
  return body
    .replaceAll(/"(input|prompt)_tokens":\d+/g, '"$1_tokens":"many"')
    .replaceAll(/"(output|completion)_tokens":\d+/g, '"$1_tokens":-3')
    .replaceAll(/"cache_read_input_tokens":\d+/g, '"cache_read_input_tokens":null')
    .replaceAll(/"cache_creation":\{[^}]*\}/g, '"cache_creation":"none"')
    .replaceAll(/"promptTokenCount": ?\d+/g, '"promptTokenCount":"many"')
    .replaceAll(/"candidatesTokenCount": ?\d+/g, '"candidatesTokenCount":-3');
}
