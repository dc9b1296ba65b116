/** The journey of a request, top to bottom. This file decides; the rooms beside it compute. */
import { RelayError, type ErrorFacts } from "../domain/errors.ts";
import type { AdmitDecision } from "../domain/permit.ts";
import type { Acquired, Acquisition } from "./acquire.ts";
import { admit } from "./admit.ts";
import { attempt, type Journey } from "./attempt.ts";
import { Booking } from "./booking.ts";
import { outcomeOf } from "./deliver.ts";
import { planAccounts } from "./plan.ts";
import type { Ports } from "./ports.ts";
import type { Call } from "./read-call.ts";
import type { Watched } from "./watch.ts";

/** Accounts tried after the first, at most. */
const SWITCHES_MAX = 2;
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
    const { verdict, status } = outcome;
    const reason = verdict.kind === "failover" ? verdict.reason : "disabled";
    const { message } = verdict.kind === "failover" ? verdict : { message: verdict.reason };
    booking.story.note({ kind: "failed", account: lease.accountId, reason, message });
    booking.giveUp(lease, outcomeOf(verdict, acquisition.targetAt(lease.accountId), status));
    acquisition.exclude(lease.accountId, verdict);
    failure = verdict.error;
    if (verdict.kind === "failover") switchesLeft = Math.min(switchesLeft, verdict.switches);
    if (switchesLeft <= 0) throw RelayError.of(failure);
    acquired = await watch.during(leaving(booking, acquisition), () => acquisition.next());
  }
}
