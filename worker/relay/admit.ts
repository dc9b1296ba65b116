/** Asks for a permit: of the key, and of its owner's purse where there is one. */
import { identifyClient } from "../domain/client-identity.ts";
import type { KeyId } from "../domain/ids.ts";
import { NO_ESTIMATE, type AdmitDecision, type AdmitRequest } from "../domain/permit.ts";
import type { Booking } from "./booking.ts";
import { estimateOf } from "./estimate.ts";
import { askObject, type Ports } from "./ports.ts";
import type { Call } from "./read-call.ts";
import { keyWarrants } from "./warrants.ts";

const requestOf = (call: Call, booking: Booking): AdmitRequest => ({
  requestId: booking.requestId,
  startedAt: booking.startedAt,
  protocol: call.protocol.id,
  service: booking.service,
  fingerprint: call.key.fingerprint,
  caller: identifyClient(call.headers),
  model: booking.model,
  stream: call.parsed.stream,
  metered: call.operation === "generate",
  estimate: NO_ESTIMATE,
});

/** What an answer depends on where nothing is counted. */
const questionOf = ({ fingerprint, service, model, caller }: AdmitRequest): string =>
  [fingerprint, service, caller.client, model, caller.userAgent].join("\n");

/** @throws RelayError `no_account_available` where an object does not answer */
export function admit(call: Call, booking: Booking, ports: Ports): Promise<AdmitDecision> {
  const known = requestOf(call, booking);
  const question = questionOf(known);
  const granted = booking.purse === null ? keyWarrants.find(call.key.id, question, ports.now()) : null;
  if (granted !== null) {
    booking.enter(known);
    return Promise.resolve(granted);
  }
  const estimate = estimateOf(
    { ...call.parsed, model: booking.model },
    call.body.length,
    ports.env.RESERVED_OUTPUT_TOKENS_MAX,
    booking,
  );
  return ask({ ...known, estimate }, question, { call, booking, ports });
}

interface Asking {
  readonly call: Call;
  readonly booking: Booking;
  readonly ports: Ports;
}

function ask(
  request: AdmitRequest,
  question: string,
  { call, booking, ports }: Asking,
): Promise<AdmitDecision> {
  const askedAt = ports.now();
  const askOf = (id: KeyId, asked: AdmitRequest) => askObject(() => ports.keyObject(id).admit(asked));
  const own = askOf(call.key.id, request).then((decision) => {
    const warrant = decision.kind === "admitted" ? decision.warrant : null;
    if (decision.kind === "admitted" && warrant !== null) {
      keyWarrants.keep(call.key.id, question, { grant: { ...decision, waitedMs: 0 }, warrant }, askedAt);
    }
    return decision;
  });
  if (!request.metered) return own;
  if (booking.purse === null) {
    return own.catch((error: unknown) => {
      // It did not answer, and may have admitted all the same.
      booking.withdraw(call.key.id);
      throw error;
    });
  }
  // Any text finds a purse: which one the client sent is the key's business.
  return both(
    [call.key.id, own],
    [booking.purse, askOf(booking.purse, { ...request, fingerprint: "" })],
    booking,
  );
}

type Asked = readonly [KeyId, Promise<AdmitDecision>];
type Answer = PromiseSettledResult<AdmitDecision>;

const isRefusal = (answer: Answer): boolean =>
  answer.status === "fulfilled" && answer.value.kind === "refused";
const isAdmission = (answer: Answer): boolean =>
  answer.status === "fulfilled" && answer.value.kind === "admitted";

/** What one grants and the other refuses goes back as if it had never been asked for. The key's word comes first. */
async function both(key: Asked, purse: Asked, booking: Booking): Promise<AdmitDecision> {
  const answers = await Promise.allSettled([key[1], purse[1]]);
  const [ofKey, ofPurse] = answers;
  if (!answers.every(isAdmission)) {
    // One that did not answer may have admitted all the same.
    if (!isRefusal(ofKey)) booking.withdraw(key[0]);
    if (!isRefusal(ofPurse)) booking.withdraw(purse[0]);
  }
  const decisive = isAdmission(ofKey) && !isAdmission(ofPurse) ? ofPurse : ofKey;
  if (decisive.status === "rejected") throw decisive.reason;
  return decisive.value;
}
