/** Which accounts this call may go to, and what each would be asked for. */
import type { Directory, DirectoryEntry } from "../domain/account.ts";
import { affinityInFamily, type AccountId, type KeyId } from "../domain/ids.ts";
import { NO_PRICE_LIST } from "../domain/price-list.ts";
import { purseOf } from "../domain/purse.ts";
import { mappedModel } from "../domain/model-map.ts";
import type { Service } from "../domain/service.ts";
import { settingDefaults } from "../env.ts";
import { PROVIDERS } from "../providers/index.ts";
import { pricesInForce } from "../pricing/in-force.ts";
import { findPriceList } from "../storage/price-list.ts";
import { findOverrides } from "../storage/prices.ts";
import { findSettings } from "../storage/settings.ts";
import { findDirectory } from "../storage/snapshots.ts";
import { accountsSeen } from "./accounts-seen.ts";
import { Acquisition, type Target } from "./acquire.ts";
import type { Booking } from "./booking.ts";
import { optionsFor, serviceMeant } from "./options.ts";
import type { Ports } from "./ports.ts";
import type { Call } from "./read-call.ts";
import { schedule, type Choice } from "./schedule.ts";

/** An empty choice may only be a stale directory: it is read anew, but not at every call. */
const EMPTY_MAX_AGE_MS = 1000;

const surroundings = { random: Math.random, seen: accountsSeen.of };

function targetAt(entry: DirectoryEntry | undefined, model: string): Target {
  if (entry === undefined) return { model, modelFamily: null };
  const asked = mappedModel(entry.modelMap, model);
  return { model: asked, modelFamily: PROVIDERS.get(entry.provider)?.modelFamily(asked) ?? null };
}

/** What the key and its group make of the model that the client asks for. */
function redirected({ key, parsed }: Call, directory: Directory): string {
  const { binding } = key;
  const group =
    binding?.kind === "group" ? directory.groups.find(({ name }) => name === binding.group) : undefined;
  const model = mappedModel(key.modelMap, parsed.model);
  return group === undefined ? model : mappedModel(group.modelMap, model);
}

interface Plan {
  readonly choice: Choice;
  readonly service: Service;
  readonly model: string;
}

/** The key's one account was deleted: nobody else may serve it unless the key says so. */
const isBindingGone = ({ key: { binding } }: Call, { accounts }: Directory): boolean =>
  binding?.kind === "account" && !accounts.some(({ id }) => id === binding.accountId);

const NOBODY: Choice = { accounts: [], home: null, place: null };

/** The first service that has an account for the call. */
function planIn(directory: Directory, call: Call): Plan {
  const model = redirected(call, directory);
  const { binding, bindingFallback } = call.key;
  for (const { service, suits } of optionsFor(call, model)) {
    const wish = { binding, bindingFallback, model, affinity: call.affinity, suits };
    const choice = schedule(directory, wish, surroundings);
    if (choice.accounts.length > 0) return { choice, service, model };
  }
  return { choice: NOBODY, service: serviceMeant(call, model), model };
}

/** Where the key's owner has a budget for all their keys. */
const purseIn = ({ purses }: Directory, { key: { ownerId } }: Call): KeyId | null =>
  ownerId !== null && purses.includes(ownerId) ? purseOf(ownerId) : null;

export async function planAccounts(call: Call, booking: Booking, ports: Ports): Promise<Acquisition> {
  const context = { kv: ports.env.KV, now: ports.now(), waitUntil: ports.waitUntil };
  const [known, own, list, settings] = await Promise.all([
    findDirectory(context),
    findOverrides(context),
    ports.env.PRICES_URL === "off" ? NO_PRICE_LIST : findPriceList(context),
    findSettings(settingDefaults(ports.env), context),
  ]);
  booking.settings = settings;
  booking.prices = pricesInForce(list, own);
  let directory = known;
  let plan = planIn(directory, call);
  if (plan.choice.accounts.length === 0) {
    directory = await findDirectory(context, EMPTY_MAX_AGE_MS);
    plan = planIn(directory, call);
  }
  const { choice, model } = plan;
  booking.service = plan.service;
  booking.model = model;
  booking.purse = purseIn(directory, call);
  booking.story.ranked(choice.accounts, choice.home);
  if (model !== call.parsed.model) booking.story.note({ kind: "redirected", model });
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
      isBindingGone: isBindingGone(call, directory),
      deadline: booking.startedAt + settings.queueTimeoutMs,
      patienceMs: settings.sessionPatienceMs,
    },
    booking.story,
    ports,
  );
}

/** Whether it matters at any of the accounts who speaks: finding out costs a look at the whole conversation. */
const takesTurns = (
  { accounts }: Choice,
  entryOf: (account: AccountId) => DirectoryEntry | undefined,
): boolean => accounts.some((account) => (entryOf(account)?.userTurns ?? null) !== null);
