/** Ends a stream whose cost passes what is left of its key's hard budget. */
import { RelayError, type ErrorFacts } from "../domain/errors.ts";
import type { UsageReader } from "../protocols/protocol.ts";
import type { Delivery } from "./deliver.ts";
import { askObject } from "./ports.ts";

const SPENT: ErrorFacts = {
  code: "budget_exhausted",
  message: "This answer was stopped here: it has used up what was left of its key's budget.",
  retryAfterMs: null,
  reason: "hard_budget",
};

/** null: the key has no hard budget, and nothing needs to be watched. */
export function budgetGate(
  reader: UsageReader,
  { call, booking, ports }: Pick<Delivery, "call" | "booking" | "ports">,
): (() => Promise<ErrorFacts | null>) | null {
  if (booking.allowance === null) return null;
  let { allowance } = booking;
  return async () => {
    booking.observe(reader.reading);
    const { cost } = booking;
    if (cost <= allowance) return null;
    try {
      allowance = await askObject(() => ports.keyObject(call.key.id).extend(booking.requestId, cost));
    } catch (error) {
      // A budget that cannot be asked for is not there: it is a hard one.
      if (error instanceof RelayError) return error;
      throw error;
    }
    return cost <= allowance ? null : SPENT;
  };
}
