/** Which accounts this call may go to, and how its lease is asked for. */
import { affinityInFamily, type AccountId } from "../domain/ids.ts";
import { PROVIDERS } from "../providers/index.ts";
import { findDirectory } from "../storage/snapshots.ts";
import { Acquisition } from "./acquire.ts";
import type { Booking } from "./booking.ts";
import type { Ports } from "./ports.ts";
import type { Call } from "./read-call.ts";
import { schedule } from "./schedule.ts";

/** An empty choice may only be a stale directory: it is read anew, but not at every call. */
const EMPTY_MAX_AGE_MS = 1000;

export async function planAccounts(call: Call, booking: Booking, ports: Ports): Promise<Acquisition> {
  const context = { kv: ports.env.KV, now: ports.now(), waitUntil: ports.waitUntil };
  const { model } = call.parsed;
  const wish = {
    binding: call.key.binding,
    model,
    affinity: call.affinity,
    servedBy: (provider: string) => PROVIDERS.get(provider)?.protocols.includes(call.protocol.id) ?? false,
  };
  let directory = await findDirectory(context);
  let ranked = schedule(directory, wish, Math.random);
  if (ranked.length === 0) {
    directory = await findDirectory(context, EMPTY_MAX_AGE_MS);
    ranked = schedule(directory, wish, Math.random);
  }
  const familyOf = (account: AccountId): string | null => {
    const entry = directory.accounts.find(({ id }) => id === account);
    return entry === undefined ? null : (PROVIDERS.get(entry.provider)?.modelFamily(model) ?? null);
  };
  const [home] = ranked;
  return new Acquisition(
    {
      requestId: booking.requestId,
      // A session may move for one family and stay for another: their limits and their caches are apart.
      affinity:
        call.affinity === null || home === undefined ? null : affinityInFamily(call.affinity, familyOf(home)),
      model,
      familyOf,
      takesSlot: call.operation === "generate",
      ranked,
      deadline: booking.startedAt + ports.env.QUEUE_TIMEOUT_MS,
    },
    ports,
  );
}
