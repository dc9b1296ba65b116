/** Does what a behaviour says with a model request. */
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import type { SseEvent } from "./anthropic-sse.ts";
import type { AnswerShape, Behaviour } from "./behaviour.ts";
import { derivedUsage, withFigures } from "./derived-usage.ts";
import { cutConnection, resetConnection, sendBody, sendStatus, type Exchange } from "./exchange.ts";
import type { Gates } from "./gates.ts";
import { performMalformed } from "./malformed.ts";
import { composeReply, type Reply } from "./reply.ts";
import { commonHeaders, withHeaders } from "./response-headers.ts";
import { openStream, sendEvents } from "./stream.ts";
import { bytesOf, openWire, pause, type Wire } from "./wire.ts";

export async function perform(exchange: Exchange, behaviour: Behaviour, gates: Gates): Promise<void> {
  exchange.entry.behaviour = behaviour.kind;
  switch (behaviour.kind) {
    case "answer":
      return await performAnswer(exchange, behaviour);
    case "cut":
      return await performCut(exchange, behaviour);
    case "status":
      await pause(behaviour.delayMs);
      return sendStatus(exchange.response, exchange.requestId, behaviour);
    case "hang":
      return await performHang(exchange, behaviour);
    case "errorEvent":
      return await performErrorEvent(exchange, behaviour);
    case "malformed":
      return await performMalformed(exchange, behaviour.what);
    case "endless":
      return await performEndless(exchange, behaviour.intervalMs);
    case "reset":
      return resetConnection(exchange);
    case "gate":
      await gates.pass(behaviour.gate);
      return await perform(exchange, behaviour.then, gates);
    case "gateInside":
      return await performGateInside(exchange, behaviour, gates);
    case "perModel": {
      const match = behaviour.models.find(({ model }) => exchange.conversation.model.includes(model));
      return await perform(exchange, match?.then ?? behaviour.otherwise ?? { kind: "answer" }, gates);
    }
    case "ifThinking": {
      const chosen = exchange.conversation.holdsThinking ? behaviour.then : behaviour.otherwise;
      return await perform(exchange, chosen ?? { kind: "answer" }, gates);
    }
  }
}

export async function performAnswer(exchange: Exchange, shape: AnswerShape): Promise<void> {
  if (exchange.endpoint !== "messages") return await answerOther(exchange, shape);
  if (!exchange.conversation.stream) return await answerJson(exchange, shape);
  const reply = replyTo(exchange, shape);
  const wire = await openStream(exchange, shape, exchange.dialect.streamType);
  await sendEvents(exchange, { wire, reply, shape }, exchange.dialect.events(reply, shape, exchange.asked));
  await pause(shape.endDelayMs);
  wire.end();
}

export function replyTo(exchange: Exchange, shape: AnswerShape): Reply {
  const id = shape.id ?? exchange.requestId.replace("req_", "msg_");
  return composeReply(exchange.body, exchange.conversation, shape, id);
}

async function answerJson(exchange: Exchange, shape: AnswerShape): Promise<void> {
  const reply = replyTo(exchange, shape);
  await sendJson(exchange, shape, exchange.dialect.json(reply, shape));
  if (shape.omitUsage !== true && !exchange.response.destroyed)
    exchange.ledger.report(exchange.entry, exchange.dialect.told?.(reply.usage) ?? reply.usage);
}

async function answerOther(exchange: Exchange, shape: AnswerShape): Promise<void> {
  if (exchange.endpoint === "messages") return;
  const usage = withFigures(derivedUsage(exchange.body), shape.usage);
  await sendJson(exchange, shape, exchange.dialect.other(exchange.endpoint, usage));
}

async function sendJson(exchange: Exchange, shape: AnswerShape, json: string): Promise<void> {
  const { response, requestId } = exchange;
  await pause(shape.headersDelayMs);
  if (response.destroyed) return;
  const headers = {
    ...commonHeaders(requestId),
    ...exchange.dialect.limitHeaders(Date.now()),
    "content-type": "application/json",
  };
  const isPlain =
    shape.chunkBytes === undefined && shape.gzip !== true && shape.firstEventDelayMs === undefined;
  if (isPlain) return sendBody(response, 200, withHeaders(headers, shape.headers), json);
  const encoding = shape.gzip === true ? { "content-encoding": "gzip" } : {};
  response.writeHead(200, withHeaders({ ...headers, ...encoding }, shape.headers));
  response.flushHeaders();
  await pause(shape.firstEventDelayMs);
  const wire = openWire(response, shape);
  await wire.write(json);
  wire.end();
}

/** Sends the first events; says which ones would follow. */
async function sendSome(exchange: Exchange, afterEvents: number, answer: AnswerShape | undefined) {
  // Enough deltas that the end falls between them, unless the test has counted them itself.
  const shape: AnswerShape = { events: Math.max(3, afterEvents), ...answer };
  const reply = replyTo(exchange, shape);
  const events = exchange.dialect.events(reply, shape, exchange.asked);
  const count = Math.min(afterEvents, events.length - 1);
  const wire = await openStream(exchange, shape, exchange.dialect.streamType);
  await sendEvents(exchange, { wire, reply, shape }, events.slice(0, count));
  return { wire, shape, reply, count, rest: events.slice(count) };
}

async function performCut(exchange: Exchange, cut: Extract<Behaviour, { kind: "cut" }>): Promise<void> {
  if (exchange.conversation.stream) {
    const { wire, shape, rest } = await sendSome(exchange, cut.afterEvents, cut.answer);
    const [next] = rest;
    if (cut.midEvent === true && next !== undefined) await wire.write(firstHalf(exchange, next, shape));
    if (cut.mode === "cleanEnd") return wire.end();
  } else {
    const shape = cut.answer ?? {};
    const json = Buffer.from(exchange.dialect.json(replyTo(exchange, shape), shape));
    exchange.response.writeHead(200, {
      ...commonHeaders(exchange.requestId),
      "content-type": "application/json",
    });
    exchange.response.write(json.subarray(0, json.length / 2));
    if (cut.mode === "cleanEnd") return void exchange.response.end();
  }
  await turnOfTheLoop();
  await cutConnection(exchange);
}

function firstHalf({ dialect }: Exchange, sse: SseEvent, shape: AnswerShape): Buffer {
  const bytes = bytesOf(dialect.encode(sse, shape, 0));
  return bytes.subarray(0, Math.ceil(bytes.length / 2));
}

async function performHang(exchange: Exchange, hang: Extract<Behaviour, { kind: "hang" }>): Promise<void> {
  const { response } = exchange;
  switch (hang.phase) {
    case "beforeHeaders":
      return;
    case "afterHeaders": {
      const contentType = exchange.conversation.stream ? exchange.dialect.streamType : "application/json";
      response.writeHead(200, { ...commonHeaders(exchange.requestId), "content-type": contentType });
      return response.flushHeaders();
    }
    case "midStream":
      if (exchange.conversation.stream) await sendSome(exchange, hang.afterEvents ?? 4, hang.answer);
      else response.writeHead(200, { "content-type": "application/json" }).write('{"id":"msg_hang",');
  }
}

async function performErrorEvent(
  exchange: Exchange,
  order: Extract<Behaviour, { kind: "errorEvent" }>,
): Promise<void> {
  const { errorType, message } = order;
  if (!exchange.conversation.stream) {
    const answer = exchange.dialect.errorAnswer(errorType, message);
    return sendStatus(exchange.response, exchange.requestId, { kind: "status", ...answer });
  }
  const { wire, shape, count } = await sendSome(exchange, order.afterEvents, order.answer);
  await sendErrorEvent(exchange, { wire, shape, index: count }, { type: errorType, message });
  wire.end();
}

async function sendErrorEvent(
  { dialect, requestId }: Exchange,
  { wire, shape, index }: { readonly wire: Wire; readonly shape: AnswerShape; readonly index: number },
  { type, message }: { readonly type: string; readonly message: string },
): Promise<void> {
  await wire.write(dialect.encode(dialect.errorEvent(type, message, { requestId, index }), shape, 0));
}

async function performGateInside(
  exchange: Exchange,
  order: Extract<Behaviour, { kind: "gateInside" }>,
  gates: Gates,
): Promise<void> {
  if (!exchange.conversation.stream) {
    await gates.pass(order.gate);
    return await performAnswer(exchange, order.answer ?? {});
  }
  const { wire, shape, reply, count, rest } = await sendSome(exchange, order.afterEvents, order.answer);
  await gates.pass(order.gate);
  if (order.error === undefined) {
    await sendEvents(exchange, { wire, reply, shape }, rest);
  } else {
    await sendErrorEvent(exchange, { wire, shape, index: count }, order.error);
  }
  wire.end();
}

async function performEndless(exchange: Exchange, intervalMs: number): Promise<void> {
  const { response } = exchange;
  const { wire, shape } = await sendSome(exchange, 3, {});
  for (let index = 0; !response.destroyed; index += 1) {
    await pause(Math.max(1, intervalMs));
    // A JSON client sees blanks before a value that never comes.
    const { conversation, dialect } = exchange;
    const piece = conversation.stream ? dialect.encode(dialect.delta(0, `还有 ${index} `), shape, 0) : " ";
    await wire.write(piece);
  }
}
