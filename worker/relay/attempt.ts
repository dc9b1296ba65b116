/** One account's chance: the call as it goes there, sent until there is nothing better to try, and what came of it. */
import { invariant } from "../domain/errors.ts";
import type { Lease } from "../domain/lease.ts";
import type { ProtocolId } from "../domain/protocol-id.ts";
import { unauthorized } from "../domain/verdict.ts";
import { spliceJson } from "../protocols/json-fields.ts";
import { PROVIDERS } from "../providers/index.ts";
import type { Provider } from "../providers/provider.ts";
import type { Acquisition } from "./acquire.ts";
import type { Booking } from "./booking.ts";
import { deliver, deliveredHeaders, type Delivered } from "./deliver.ts";
import { dispatch, headersOf, refusedCredential, type Attempt } from "./dispatch.ts";
import { spokenWith } from "./options.ts";
import { askObject, type Ports } from "./ports.ts";
import type { Call } from "./read-call.ts";
import { refusalFor, translated } from "./translation.ts";
import { accountWarrants } from "./warrants.ts";

/** As many parts as a credential may have: each has its turn before the account counts as refused. */
const REFRESHES_MAX = 50;

export interface Journey {
  readonly call: Call;
  readonly booking: Booking;
  readonly acquisition: Acquisition;
  readonly ports: Ports;
}

/** With a fresh credential if the first is refused, without what it cannot read if it says so. */
export async function attempt(lease: Lease, journey: Journey): Promise<Delivered> {
  const { booking, acquisition } = journey;
  try {
    const made = callAt(lease, journey);
    // A promise costs a turn of the event loop, and only a translation needs one.
    let call = made instanceof Promise ? await made : made;
    const sent = await sendRefreshed(call, lease, journey);
    const { current } = sent;
    let { result } = sent;
    const repaired = isBound(result) ? call.protocol.withoutBoundParts(call.body) : null;
    if (repaired !== null) {
      booking.story.note({ kind: "repaired", account: lease.accountId, removed: repaired.removed });
      call = { ...call, body: repaired.body };
      result = await send(call, current, journey);
    }
    if (acquisition.userTurn) booking.turnAnswered(lease);
    return await conclude(result, current, { ...journey, call });
  } catch (error) {
    booking.release(lease, { kind: "neutral" });
    throw error;
  }
}

/** With a fresh credential if the first is refused; of one in several parts, with one part after the other. */
async function sendRefreshed(
  call: Call,
  lease: Lease,
  journey: Journey,
): Promise<{ readonly current: Lease; readonly result: Attempt }> {
  const { booking, ports } = journey;
  let current = lease;
  let result = await send(call, current, journey);
  for (let refreshes = 0; refreshes < REFRESHES_MAX; refreshes++) {
    if (result.kind !== "judged" || result.verdict.kind !== "refresh") break;
    // A whole credential that was just refreshed and is refused again has no better successor.
    if (refreshes > 0 && result.credentialPart === null) break;
    booking.story.note({ kind: "refreshed", account: lease.accountId });
    const { verdict, credentialPart: part, status } = result;
    const refreshed = await refresh(current, { message: verdict.message, part, status }, ports);
    if (refreshed.kind === "refused") return { current, result: refreshed.attempt };
    current = refreshed.lease;
    result = await send(call, current, journey);
  }
  return { current, result };
}

async function send(call: Call, lease: Lease, { booking, ports }: Journey): Promise<Attempt> {
  const provider = providerOf(lease);
  booking.attempt(lease, call.parsed.model);
  const result = await dispatch(call, lease, provider, ports);
  const headers = headersOf(result);
  if (headers !== null) booking.sawWindows(lease, provider.readWindows(headers, ports.now()));
  return result;
}

const isBound = (result: Attempt) => result.kind === "rejected" && result.bound;

/** The call as it goes to one account: in its dialect, with its own name of the model. */
function callAt(lease: Lease, journey: Journey): Call | Promise<Call> {
  const { call, acquisition } = journey;
  const { model } = acquisition.targetAt(lease.accountId);
  const spoken = spokenWith(providerOf(lease), call);
  if (spoken === null || spoken === call.protocol.id) return withModel(call, model);
  return inDialect(spoken, model, lease, journey);
}

async function inDialect(
  spoken: ProtocolId,
  model: string,
  lease: Lease,
  { call, booking, ports }: Journey,
): Promise<Call> {
  const foreign = await translated(call, spoken, model, ports);
  const omitted = [...(foreign.translation?.omitted ?? [])];
  booking.story.note({ kind: "translated", account: lease.accountId, protocol: spoken, omitted });
  return foreign;
}

function withModel(call: Call, model: string): Call {
  if (model === call.parsed.model) return call;
  const { modelRange } = call.parsed;
  return {
    ...call,
    path: call.protocol.pathWithModel?.(call.path, model) ?? call.path,
    body: modelRange === null ? call.body : spliceJson(call.body, modelRange, model),
    parsed: { ...call.parsed, model },
  };
}

interface RefusedCredential {
  readonly message: string;
  /** null: it is one. */
  readonly part: string | null;
  readonly status: number | null;
}

async function refresh(lease: Lease, { message, part, status }: RefusedCredential, ports: Ports) {
  accountWarrants.end(lease.accountId);
  const decision = await askObject(() =>
    ports.accountObject(lease.accountId).refresh(lease.credentialVersion, part),
  );
  if (decision.kind === "unavailable") {
    return { kind: "refused", attempt: refusedCredential(message, status) } as const;
  }
  const { credential, credentialVersion } = decision;
  return { kind: "refreshed", lease: { ...lease, credential, credentialVersion } } as const;
}

function conclude(result: Attempt, lease: Lease, journey: Journey): Promise<Delivered> {
  const { call, booking, ports } = journey;
  const onServed = () => {
    stayWith(lease, journey);
  };
  switch (result.kind) {
    case "answered":
      return deliver(result.answer, {
        call,
        lease,
        provider: providerOf(lease),
        target: journey.acquisition.targetAt(lease.accountId),
        booking,
        ports,
        onServed,
      });
    case "rejected": {
      booking.release(lease, { kind: "neutral" });
      onServed();
      booking.close({ outcome: "failed", status: result.status, error: `upstream_${String(result.status)}` });
      const headers = deliveredHeaders(result.headers, booking);
      const body = refusalText(result, call, headers);
      return Promise.resolve({
        kind: "response",
        response: new Response(body, { status: result.status, headers }),
      });
    }
    case "judged": {
      const { verdict } = result;
      const final = verdict.kind === "refresh" ? unauthorized(verdict.message) : verdict;
      return Promise.resolve({ kind: "judged", verdict: final, status: result.status });
    }
  }
}

/** The upstream's own words; where the client speaks another dialect, in its form. */
function refusalText(
  { status, bodyText }: Extract<Attempt, { kind: "rejected" }>,
  { translation, requestId }: Call,
  headers: Record<string, string>,
): string {
  if (translation === null) return bodyText;
  const { body, contentType } = refusalFor(translation, status, bodyText, requestId);
  headers["content-type"] = contentType;
  return body;
}

/** After a move that should last, the session's home learns where it went. */
function stayWith(lease: Lease, { acquisition, booking }: Journey): void {
  const { home, affinity } = acquisition;
  if (home !== null && affinity !== null && acquisition.shouldMoveTo(lease.accountId)) {
    booking.handOver(home, affinity, lease.accountId);
  }
}

function providerOf(lease: Lease): Provider {
  const provider = PROVIDERS.get(lease.provider);
  invariant(provider !== undefined, `no provider "${lease.provider}"`);
  return provider;
}
