/** Asks for a permit: of the key, and of its owner's purse where there is one. */
import { identifyClient } from "../domain/client-identity.ts";
import type { KeyId } from "../domain/ids.ts";
import type { AdmitDecision, AdmitRequest } from "../domain/permit.ts";
import type { Booking } from "./booking.ts";
import { estimateOf } from "./estimate.ts";
import { askObject, type Ports } from "./ports.ts";
import type { Call } from "./read-call.ts";

const requestOf = (call: Call, booking: Booking, { env }: Ports): AdmitRequest => ({
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
    env.RESERVED_OUTPUT_TOKENS_MAX,
    booking,
  ),
});

/** @throws RelayError `no_account_available` where an object does not answer */
export function admit(call: Call, booking: Booking, ports: Ports): Promise<AdmitDecision> {
  const request = requestOf(call, booking, ports);
  const ask = (id: KeyId, asked: AdmitRequest) => askObject(() => ports.keyObject(id).admit(asked));
  const own = ask(call.key.id, request);
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
    [booking.purse, ask(booking.purse, { ...request, fingerprint: "" })],
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
