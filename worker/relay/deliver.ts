/** Gives the client the upstream's answer, and closes the booking when it has gone. */
import type { ErrorFacts } from "../domain/errors.ts";
import type { AttemptOutcome, Lease } from "../domain/lease.ts";
import type { Verdict } from "../domain/verdict.ts";
import type { Provider } from "../providers/provider.ts";
import type { Target } from "./acquire.ts";
import type { Booking } from "./booking.ts";
import type { Answer } from "./dispatch.ts";
import type { Ports } from "./ports.ts";
import type { Call } from "./read-call.ts";
import { maskSecrets } from "../domain/secrets.ts";
import { ROUTING_HEADER } from "./story.ts";
import { budgetGate } from "./budget-gate.ts";
import type { StreamEnding } from "./stream-ending.ts";
import { Tap } from "./tap.ts";
import { createStreamTranslator, wholeAnswer, WHOLE_TYPE } from "./translation.ts";

/** Answer headers that a client may see; all others speak of the account or of the upstream's insides. */
const DELIVERED_HEADERS = ["content-type", "request-id", "x-request-id", "retry-after"] as const;
/** Complete answers up to this size are read whole before they are delivered. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

export interface Delivery {
  readonly call: Call;
  readonly lease: Lease;
  readonly provider: Provider;
  readonly target: Target;
  readonly booking: Booking;
  readonly ports: Ports;
  /** Called once it is certain that this account serves the client, before the booking is closed. */
  readonly onServed: () => void;
}

/** Either the client's response, or why another account should be asked: nothing has reached the client then. */
export type Delivered =
  | { readonly kind: "response"; readonly response: Response }
  | {
      readonly kind: "judged";
      readonly verdict: Exclude<Verdict, { kind: "deliver" | "reject" | "refresh" }>;
      /** The upstream's; null: there was no answer, or not a whole one. */
      readonly status: number | null;
    };

/** By name, as a response takes them: a `Headers` of our own would only be copied. */
export function deliveredHeaders(upstream: Headers, { requestId, story }: Booking): Record<string, string> {
  const headers: Record<string, string> = { "cache-control": "no-store", "x-relay-request-id": requestId };
  if (story.isOpen) headers[ROUTING_HEADER] = story.header;
  for (const name of DELIVERED_HEADERS) {
    const value = upstream.get(name);
    if (value !== null) headers[name] = value;
  }
  return headers;
}

const broken = (message: string, reason: "network" | "server_error" = "network"): Delivered => {
  const error: ErrorFacts = {
    code: "upstream_interrupted",
    message: "The upstream broke off its answer.",
    retryAfterMs: null,
  };
  return {
    kind: "judged",
    verdict: {
      kind: "failover",
      scope: "account",
      reason,
      until: null,
      message,
      error,
      switches: 2,
    },
    status: null,
  };
};

export function deliver(answer: Answer, delivery: Delivery): Promise<Delivered> {
  const { call } = delivery;
  const contentType = answer.response.headers.get("content-type") ?? "";
  return call.protocol.isStream(contentType, call.parsed)
    ? deliverStream(answer, delivery)
    : deliverWhole(answer, delivery);
}

async function deliverWhole({ response, abort }: Answer, delivery: Delivery): Promise<Delivered> {
  const { call, lease, booking, ports, onServed } = delivery;
  if (Number(response.headers.get("content-length") ?? 0) > ANSWER_BYTES_MAX) {
    abort();
    return broken("The answer was too large.");
  }
  let body: Uint8Array;
  try {
    const limits = { limitMs: ports.env.ANSWER_TIMEOUT_MS, onLate: abort, onGone: abort };
    body = new Uint8Array(await ports.watch.during(limits, () => response.arrayBuffer()));
  } catch (error) {
    if (ports.watch.isClientGone) throw error;
    return broken("The answer broke off.");
  }
  if (body.length === 0) return broken("The answer was empty.", "server_error");
  booking.firstByte();
  booking.observe(call.protocol.readAnswer(body));
  const { translation } = call;
  const answer = translation === null ? body : wholeAnswer(body, translation);
  booking.release(lease, { kind: "ok" });
  onServed();
  booking.close({ outcome: "completed", status: response.status, error: null });
  const headers = deliveredHeaders(response.headers, booking);
  if (translation !== null) headers["content-type"] = WHOLE_TYPE;
  return { kind: "response", response: new Response(answer, { status: response.status, headers }) };
}

async function deliverStream({ response, scripted, abort }: Answer, delivery: Delivery): Promise<Delivered> {
  const { call, booking, ports } = delivery;
  const body: ReadableStream<Uint8Array> | null = response.body;
  if (body === null) return broken("The answer was empty.", "server_error");
  const reader = call.protocol.createStreamReader(response.headers.get("content-type") ?? "");
  const client = call.translation?.client ?? call.protocol;
  const translator = call.translation === null ? null : createStreamTranslator(call.translation);
  const tap = new Tap(body, {
    reader,
    now: ports.now,
    watch: ports.watch,
    abort,
    heartbeat: client.heartbeat,
    heartbeatMs: ports.env.HEARTBEAT_MS,
    idleTimeoutMs: ports.env.IDLE_TIMEOUT_MS,
    renderErrorEvent: (error, { atBoundary, frame }) =>
      client.renderErrorEvent(error, booking.requestId, atBoundary, frame),
    gate: budgetGate(reader, delivery),
    filter: translator ?? call.createFilter?.() ?? null,
    scripted,
  });
  const first = await tap.peek(booking.settings.holdBackMs);
  if (first === "ended" || first === "failed") {
    tap.discard();
    return broken("The answer broke off before its first event.");
  }
  if (first === "data") booking.firstByte();
  const hidden = reader.reading.errorType;
  if (hidden !== null && !reader.sawContent) {
    const verdict = judgeError(hidden, reader, delivery);
    if (verdict.kind === "failover" || verdict.kind === "disable") {
      tap.discard();
      return { kind: "judged", verdict, status: response.status };
    }
  }
  delivery.onServed();
  ports.waitUntil(settleStream(tap, { ...delivery, status: response.status, reader }));
  const headers = deliveredHeaders(response.headers, booking);
  if (translator !== null) headers["content-type"] = translator.streamType;
  return { kind: "response", response: new Response(tap.readable, { status: response.status, headers }) };
}

type Reader = ReturnType<Call["protocol"]["createStreamReader"]>;

/** What an error event means. Like an error's body it may hold a secret that the account was asked with. */
const judgeError = (
  errorType: string,
  { errorMessage }: Reader,
  { call, provider, lease, ports }: Delivery,
): Verdict =>
  provider.judgeEvent(
    errorType,
    maskSecrets(errorMessage ?? "", lease.credential),
    ports.now(),
    call.protocol.id,
  );

interface RunningStream extends Delivery {
  readonly status: number;
  readonly reader: Reader;
}

async function settleStream(tap: Tap, stream: RunningStream): Promise<void> {
  const { booking, lease, reader, status, ports } = stream;
  ports.watch.onTick = () => {
    booking.observe(reader.reading);
    booking.renewIfDue();
  };
  ports.watch.start();
  try {
    const ending = await tap.run();
    booking.firstByte();
    booking.observe(reader.reading);
    booking.release(lease, outcomeFor(ending, stream));
    booking.close({ status, ...endingOf(ending, reader.reading) });
  } catch (error) {
    booking.release(lease, { kind: "neutral" });
    booking.close({ status, outcome: "interrupted", error: "internal" });
    throw error;
  } finally {
    ports.watch.stop();
  }
}

function endingOf(ending: StreamEnding, reading: RunningStream["reader"]["reading"]) {
  // Clients hang up on the terminal event: what was whole by then was delivered.
  if (reading.finished) return { outcome: "completed", error: null } as const;
  if (reading.errorType !== null) return { outcome: "interrupted", error: reading.errorType } as const;
  switch (ending.kind) {
    case "finished":
      return { outcome: "completed", error: null } as const;
    case "client_gone":
      return { outcome: "client_gone", error: "client_gone" } as const;
    case "stopped":
    case "upstream_failed":
      return { outcome: "interrupted", error: ending.error.code } as const;
  }
}

/** What a stream taught about its account. */
function outcomeFor(ending: StreamEnding, stream: RunningStream): AttemptOutcome {
  const { reader, target } = stream;
  const { finished, errorType } = reader.reading;
  if (finished) return { kind: "ok" };
  if (errorType !== null) {
    return outcomeOf(judgeError(errorType, reader, stream), target, stream.status);
  }
  if (ending.kind !== "upstream_failed") return { kind: "neutral" };
  // One broken stream may be anybody's fault; the second within a minute is the account's.
  return {
    kind: "failed",
    scope: "account",
    target: null,
    reason: "server_error",
    until: null,
    message: ending.error.message,
    answer: { model: target.model, status: stream.status },
  };
}

/** A verdict as its account's object learns it. */
export function outcomeOf(verdict: Verdict, target: Target, status: number | null): AttemptOutcome {
  const answer = { model: target.model, status };
  switch (verdict.kind) {
    case "deliver":
    case "reject":
    case "refresh":
      return { kind: "neutral" };
    case "disable":
      return { kind: "disabled", reason: verdict.reason, answer };
    case "failover": {
      const { scope, reason, until, message } = verdict;
      const targets = { account: null, modelFamily: target.modelFamily, model: target.model };
      return { kind: "failed", scope, target: targets[scope], reason, until, message, answer };
    }
  }
}
