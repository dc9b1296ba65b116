/** Which accounts this call may go to, and what each would be asked for. */
import type { DirectoryEntry } from "../domain/account.ts";
import { affinityInFamily, type AccountId } from "../domain/ids.ts";
import { upstreamModel } from "../domain/model-map.ts";
import { PROVIDERS } from "../providers/index.ts";
import type { Provider } from "../providers/provider.ts";
import { findDirectory } from "../storage/snapshots.ts";
import { accountsSeen } from "./accounts-seen.ts";
import { Acquisition, type Target } from "./acquire.ts";
import type { Booking } from "./booking.ts";
import type { Ports } from "./ports.ts";
import type { Call } from "./read-call.ts";
import { schedule, type Choice, type Wish } from "./schedule.ts";

/** An empty choice may only be a stale directory: it is read anew, but not at every call. */
const EMPTY_MAX_AGE_MS = 1000;

const surroundings = { random: Math.random, seen: accountsSeen.of };

function targetAt(entry: DirectoryEntry | undefined, model: string): Target {
  if (entry === undefined) return { model, modelFamily: null };
  const asked = upstreamModel(entry.modelMap, model);
  return { model: asked, modelFamily: PROVIDERS.get(entry.provider)?.modelFamily(asked) ?? null };
}

export async function planAccounts(call: Call, booking: Booking, ports: Ports): Promise<Acquisition> {
  const context = { kv: ports.env.KV, now: ports.now(), waitUntil: ports.waitUntil };
  const { model } = call.parsed;
  const wish: Wish = {
    binding: call.key.binding,
    bindingFallback: call.key.bindingFallback,
    model,
    affinity: call.affinity,
    servedBy: (provider) => canServe(PROVIDERS.get(provider), call),
  };
  let directory = await findDirectory(context);
  let choice: Choice = schedule(directory, wish, surroundings);
  if (choice.accounts.length === 0) {
    directory = await findDirectory(context, EMPTY_MAX_AGE_MS);
    choice = schedule(directory, wish, surroundings);
  }
  booking.story.ranked(choice.accounts, choice.home);
  const entryOf = (account: AccountId) => directory.accounts.find(({ id }) => id === account);
  const targetOf = (account: AccountId) => targetAt(entryOf(account), model);
  const { home } = choice;
  const isGenerate = call.operation === "generate";
  return new Acquisition(
    {
      requestId: booking.requestId,
      // A session may move for one family and stay for another: their limits and their caches are apart.
      affinity:
        call.affinity === null || home === null
          ? null
          : affinityInFamily(call.affinity, targetOf(home).modelFamily),
      targetOf,
      takesSlot: isGenerate,
      userTurn: isGenerate && takesTurns(choice, entryOf) && call.protocol.isUserTurn(call.body),
      choice,
      deadline: booking.startedAt + ports.env.QUEUE_TIMEOUT_MS,
    },
    booking.story,
    ports,
  );
}

/** An account's kind must speak the dialect, and belong to the service that the client uses. */
const canServe = (provider: Provider | undefined, { protocol, service, onlyProvider }: Call): boolean =>
  provider !== undefined &&
  provider.service === service &&
  provider.protocols.includes(protocol.id) &&
  (onlyProvider === null || provider.id === onlyProvider);

/** Whether it matters at any of the accounts who speaks: finding out costs a look at the whole conversation. */
const takesTurns = (
  { accounts }: Choice,
  entryOf: (account: AccountId) => DirectoryEntry | undefined,
): boolean => accounts.some((account) => (entryOf(account)?.userTurns ?? null) !== null);
