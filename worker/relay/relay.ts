/** The journey of a request, top to bottom. This file decides; the rooms beside it compute. */
import { identifyClient } from "../domain/client-identity.ts";
import { invariant, RelayError, type ErrorFacts } from "../domain/errors.ts";
import type { Lease } from "../domain/lease.ts";
import type { ProtocolId } from "../domain/protocol-id.ts";
import type { AdmitDecision } from "../domain/permit.ts";
import { unauthorized, type Verdict } from "../domain/verdict.ts";
import { spliceJson } from "../protocols/json-fields.ts";
import { PROVIDERS } from "../providers/index.ts";
import type { Provider } from "../providers/provider.ts";
import type { Acquired, Acquisition } from "./acquire.ts";
import { Booking } from "./booking.ts";
import { deliver, deliveredHeaders, outcomeOf, type Delivered } from "./deliver.ts";
import { dispatch, headersOf, refusedCredential, type Attempt } from "./dispatch.ts";
import { estimateOf } from "./estimate.ts";
import { spokenWith } from "./options.ts";
import { planAccounts } from "./plan.ts";
import { askObject, type Ports } from "./ports.ts";
import type { Call } from "./read-call.ts";
import { refusalFor, translated } from "./translation.ts";
import type { Watched } from "./watch.ts";

/** Accounts tried after the first, at most. */
const SWITCHES_MAX = 2;
/** As many parts as a credential may have: each has its turn before the account counts as refused. */
const REFRESHES_MAX = 50;
/** nginx's code for "client closed request": nobody gets to see it, but the ledger says what happened. */
const STATUS_CLIENT_GONE = 499;

/** Relays an authenticated call. @throws RelayError, to be rendered in the call's protocol */
export function relay(call: Call, ports: Ports): Promise<Response> {
  const journey = travel(call, ports);
  // A worker whose client leaves before it got an answer is stopped at once, unless there is work to be waited for.
  ports.waitUntil(journey.catch(() => undefined));
  return journey;
}

async function travel(call: Call, ports: Ports): Promise<Response> {
  const booking = new Booking(call, ports);
  const acquisition = await planAccounts(call, booking, ports);
  const { watch } = ports;
  // A complete answer may take minutes before its first byte; a stream's tap takes over from here.
  watch.onTick = () => {
    booking.renewIfDue();
  };
  watch.start();
  // Neither needs the other's answer, so both are asked at once; if either refuses, the other is returned.
  const [admission, first] = await watch.during(leaving(booking, acquisition), () =>
    Promise.allSettled([admit(call, booking, ports), acquireFirst(acquisition, booking)]),
  );
  try {
    const refusal = refusalOf(admission);
    if (refusal !== null) {
      if (first.status === "fulfilled" && first.value.kind === "leased") {
        booking.release(first.value.lease, { kind: "neutral" });
      }
      booking.dismiss();
      throw refusal;
    }
    if (admission.status === "fulfilled" && admission.value.kind === "admitted") {
      booking.admitted(admission.value);
    }
    if (first.status === "rejected") throw asError(first.reason);
    return await attemptUntilServed(first.value, { call, booking, acquisition, ports });
  } catch (error) {
    closeFailed(error, { call, booking, acquisition, ports });
    throw error;
  } finally {
    watch.stop();
  }
}

/** The admission may take longer than a lease lives. */
async function acquireFirst(acquisition: Acquisition, booking: Booking): Promise<Acquired> {
  const acquired = await acquisition.next();
  if (acquired.kind === "leased") booking.hold(acquired.lease);
  return acquired;
}

/** A client that leaves while its request waits gives its places in the queues to the next in line. */
const leaving = (booking: Booking, acquisition: Acquisition): Watched => ({
  limitMs: Infinity,
  onLate: () => undefined,
  onGone: () => {
    booking.leaveQueues(acquisition.asking);
  },
});

function refusalOf(admission: PromiseSettledResult<AdmitDecision>): Error | null {
  if (admission.status === "rejected") return asError(admission.reason);
  return admission.value.kind === "refused" ? RelayError.of(admission.value.error) : null;
}

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));

const admit = (call: Call, booking: Booking, ports: Ports): Promise<AdmitDecision> =>
  askObject(() =>
    ports.keyObject(call.key.id).admit({
      requestId: booking.requestId,
      startedAt: booking.startedAt,
      protocol: call.protocol.id,
      service: booking.service,
      fingerprint: call.key.fingerprint,
      caller: identifyClient(call.headers),
      model: booking.model,
      stream: call.parsed.stream,
      metered: call.operation === "generate",
      estimate: estimateOf(
        { ...call.parsed, model: booking.model },
        call.body.length,
        ports.env.RESERVED_OUTPUT_TOKENS_MAX,
        booking,
      ),
    }),
  );

function closeFailed(error: unknown, { call, booking, ports }: Journey): void {
  if (ports.watch.isClientGone) {
    booking.close({ outcome: "client_gone", status: STATUS_CLIENT_GONE, error: "client_gone" });
    return;
  }
  const facts: ErrorFacts =
    error instanceof RelayError ? error : { code: "internal", message: "Internal error", retryAfterMs: null };
  const { status } = call.protocol.renderError(facts, booking.requestId);
  booking.close({ outcome: "failed", status, error: facts.code });
}

interface Journey {
  readonly call: Call;
  readonly booking: Booking;
  readonly acquisition: Acquisition;
  readonly ports: Ports;
}

/** The one retry loop: an attempt an account, until one serves, the client is at fault, or the budget is spent. */
async function attemptUntilServed(first: Acquired, journey: Journey): Promise<Response> {
  const {
    booking,
    acquisition,
    ports: { watch },
  } = journey;
  let acquired = first;
  let failure: ErrorFacts | null = null;
  for (let switchesLeft = SWITCHES_MAX; ; switchesLeft--) {
    if (acquired.kind === "none") throw RelayError.of(failure ?? acquired.error);
    const { lease } = acquired;
    const outcome = await attempt(lease, journey);
    if (outcome.kind === "response") return outcome.response;
    const { verdict } = outcome;
    const reason = verdict.kind === "failover" ? verdict.reason : "disabled";
    const { message } = verdict.kind === "failover" ? verdict : { message: verdict.reason };
    booking.story.note({ kind: "failed", account: lease.accountId, reason, message });
    booking.giveUp(lease, outcomeOf(verdict, acquisition.targetAt(lease.accountId)));
    acquisition.exclude(lease.accountId, verdict);
    failure = verdict.error;
    if (verdict.kind === "failover") switchesLeft = Math.min(switchesLeft, verdict.switches);
    if (switchesLeft <= 0) throw RelayError.of(failure);
    acquired = await watch.during(leaving(booking, acquisition), () => acquisition.next());
  }
}

/** One account's chance: with a fresh credential if the first is refused, without what it cannot read if it says so. */
async function attempt(lease: Lease, journey: Journey): Promise<Delivered> {
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
    const refreshed = await refresh(current, result.verdict, result.credentialPart, ports);
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

async function refresh(
  lease: Lease,
  verdict: Extract<Verdict, { kind: "refresh" }>,
  refusedPart: string | null,
  ports: Ports,
) {
  const decision = await askObject(() =>
    ports.accountObject(lease.accountId).refresh(lease.credentialVersion, refusedPart),
  );
  if (decision.kind === "unavailable") {
    return { kind: "refused", attempt: refusedCredential(verdict.message) } as const;
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
      return Promise.resolve({ kind: "judged", verdict: final });
    }
  }
}

/** The upstream's own words; where the client speaks another dialect, in its form. */
function refusalText(
  { status, bodyText }: Extract<Attempt, { kind: "rejected" }>,
  { translation, requestId }: Call,
  headers: Headers,
): string {
  if (translation === null) return bodyText;
  const { body, contentType } = refusalFor(translation, status, bodyText, requestId);
  headers.set("content-type", contentType);
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
