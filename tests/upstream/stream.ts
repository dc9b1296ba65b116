/** Sends the events of a reply at their pace, and books the usage the client has thereby been told. */
import type { AnswerShape } from "./behaviour.ts";
import { BYTE_ORDER_MARK, startUsage, type SseEvent } from "./anthropic-sse.ts";
import type { Exchange } from "./exchange.ts";
import type { Reply } from "./reply.ts";
import { commonHeaders, withHeaders } from "./response-headers.ts";
import { bytesOf, openWire, pause, type Wire } from "./wire.ts";

export async function openStream(exchange: Exchange, shape: AnswerShape, contentType: string): Promise<Wire> {
  await pause(shape.headersDelayMs);
  const usual = {
    ...commonHeaders(exchange.requestId),
    ...exchange.dialect.limitHeaders(Date.now()),
    "content-type": contentType,
    "cache-control": "no-cache",
    ...(shape.gzip === true ? { "content-encoding": "gzip" } : {}),
  };
  exchange.response.writeHead(200, withHeaders(usual, shape.headers));
  if (shape.firstEventDelayMs !== undefined) {
    exchange.response.flushHeaders();
    await pause(shape.firstEventDelayMs);
  }
  const wire = openWire(exchange.response, shape);
  if (shape.bom === true) await wire.write(BYTE_ORDER_MARK);
  return wire;
}

/** Resolves when all is sent or the client has gone. Does not end the body. */
export async function sendEvents(
  exchange: Exchange,
  stream: { readonly wire: Wire; readonly reply: Reply; readonly shape: AnswerShape },
  events: readonly SseEvent[],
): Promise<void> {
  const { wire, reply, shape } = stream;
  if (canGoAtOnce(shape)) {
    if (exchange.response.destroyed) return;
    // Booked first: a client may ask for the sums as soon as it has read the last event.
    for (const sse of events) book(exchange, sse, reply);
    await wire.write(Buffer.concat(events.map((sse) => bytesOf(exchange.dialect.encode(sse, shape, 0)))));
    return;
  }
  const intervalMs = shape.eventIntervalMs ?? 0;
  const { silence } = shape;
  const halfWay = Math.floor(events.length / 2);
  const startMs = performance.now();
  for (const [index, sse] of events.entries()) {
    // Measured from the start, so that late timers do not add up.
    if (index > 0) await pause(startMs + index * intervalMs - performance.now());
    if (exchange.response.destroyed) return;
    const encoded = exchange.dialect.encode(sse, shape, performance.timeOrigin + performance.now());
    if (index === halfWay && silence !== undefined) await writeAround(wire, bytesOf(encoded), silence);
    else await wire.write(encoded);
    book(exchange, sse, reply);
  }
}

type Silence = NonNullable<AnswerShape["silence"]>;

async function writeAround(wire: Wire, bytes: Buffer, { ms, place }: Silence): Promise<void> {
  const before = place === "inside" ? Math.ceil(bytes.length / 2) : 0;
  await wire.write(bytes.subarray(0, before));
  await pause(ms);
  await wire.write(bytes.subarray(before));
}

function canGoAtOnce(shape: AnswerShape): boolean {
  if (shape.sendTimes === true || shape.gzip === true) return false;
  if (shape.silence !== undefined) return false;
  return shape.eventIntervalMs === undefined && shape.chunkBytes === undefined;
}

function book(exchange: Exchange, sse: SseEvent, reply: Reply): void {
  if (sse.reports === "started") exchange.entry.usageStarted = startUsage(reply.usage);
  if (sse.reports === "final") exchange.ledger.report(exchange.entry, reply.usage);
}
