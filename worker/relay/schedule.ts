/** Which accounts a call may go to, best first. Pure: the same session ranks the same accounts everywhere. */
import type { Directory, DirectoryEntry } from "../domain/account.ts";
import { SHARED_POOL, type Policy } from "../domain/group.ts";
import { hash32 } from "../domain/hash32.ts";
import type { AccountId, Affinity, EpochMs } from "../domain/ids.ts";
import type { KeySnapshot } from "../domain/key.ts";
import { fitsAny } from "../domain/wildcard.ts";

export interface Wish {
  readonly binding: KeySnapshot["binding"];
  /** When no account of the binding serves, those of the shared pool may. */
  readonly bindingFallback: boolean;
  readonly model: string;
  readonly affinity: Affinity | null;
  /** Whether the call can be put to an account. */
  readonly suits: (account: DirectoryEntry) => boolean;
}

/** What this place has seen of an account. */
export interface Seen {
  /** Requests it is serving. */
  readonly active: number;
  readonly lastUsedAt: EpochMs;
}

export interface Surroundings {
  /** Uniform in (0, 1). */
  readonly random: () => number;
  readonly seen: (account: AccountId) => Seen;
}

export interface Choice {
  /** To be tried in this order. */
  readonly accounts: readonly AccountId[];
  /** Where the session's whereabouts are kept; null without a session. */
  readonly home: AccountId | null;
  /** Where the session should live if it is new; null: at home. */
  readonly place: AccountId | null;
}

/**
 * Accounts to try, best first: those of the key's binding, then by priority tier, then as the group's policy says.
 *
 * A session's home is found by weighted rendezvous hashing (Thaler and Ravishankar 1998; the weighted form is
 * -ln(hash) / weight): an account that comes or goes moves only the sessions that are its own. Under any other
 * policy the home only knows where the session lives.
 */
export function schedule(directory: Directory, wish: Wish, surroundings: Surroundings): Choice {
  const candidates = directory.accounts
    .map((account) => ({ account, reach: reachOf(account, wish) }))
    .filter((candidate): candidate is Candidate => candidate.reach !== null);
  const policy = policyOf(directory, wish);
  const seed = wish.affinity === null ? null : hash32(wish.affinity, 0);
  const homeFirst = seed === null ? null : inTiers(candidates, (account) => hashScore(account, seed));
  const home = homeFirst?.[0] ?? null;
  if (policy === "rendezvous" && homeFirst !== null) return { accounts: homeFirst, home, place: null };
  const accounts = ordered(candidates, policy, surroundings);
  return { accounts, home, place: home === null ? null : (accounts[0] ?? null) };
}

interface Candidate {
  readonly account: DirectoryEntry;
  /** 0: of the binding; 1: of the shared pool, as its fallback. */
  readonly reach: 0 | 1;
}

function reachOf(account: DirectoryEntry, wish: Wish): Candidate["reach"] | null {
  if (!account.enabled || !wish.suits(account) || !serves(account, wish.model)) return null;
  if (isBound(account, wish.binding)) return 0;
  return wish.bindingFallback && isBound(account, null) ? 1 : null;
}

/** Whether a key with this binding may use an account. */
export function isBound(account: DirectoryEntry, binding: Wish["binding"]): boolean {
  if (binding === null) return account.groups.length === 0;
  switch (binding.kind) {
    case "account":
      return account.id === binding.accountId;
    case "group":
      return account.groups.includes(binding.group);
  }
}

function policyOf({ groups }: Directory, { binding }: Wish): Policy {
  const name = binding?.kind === "group" ? binding.group : SHARED_POOL;
  return groups.find((group) => group.name === name)?.policy ?? "rendezvous";
}

/** An account without a list serves every model. */
export const serves = (account: Pick<DirectoryEntry, "models">, model: string): boolean =>
  account.models.length === 0 || model === "" || fitsAny(account.models, model);

/** @param scoreOf within a tier, the smallest comes first */
function inTiers(
  candidates: readonly Candidate[],
  scoreOf: (account: DirectoryEntry) => number,
): AccountId[] {
  return candidates
    .map((candidate) => ({ ...candidate, score: scoreOf(candidate.account) }))
    .sort((a, b) => a.reach - b.reach || a.account.priority - b.account.priority || a.score - b.score)
    .map(({ account }) => account.id);
}

/** -ln(u) / weight: the smallest of them is drawn with a probability in proportion to its weight. */
const drawScore = (account: DirectoryEntry, uniformDraw: number) => -Math.log(uniformDraw) / account.weight;

const hashScore = (account: DirectoryEntry, seed: number) =>
  drawScore(account, uniform(hash32(account.id, seed)));

function ordered(
  candidates: readonly Candidate[],
  policy: Policy,
  { random, seen }: Surroundings,
): AccountId[] {
  const drawn = inTiers(candidates, (account) => drawScore(account, random()));
  switch (policy) {
    case "rendezvous":
    case "weighted_random":
      return drawn;
    case "least_loaded":
      return lessLoadedFirst(drawn, candidates, seen);
    case "least_recently_used":
      return inTiers(
        drawn.flatMap((id) => candidates.filter(({ account }) => account.id === id)),
        ({ id }) => seen(id).lastUsedAt,
      );
  }
}

/** The power of two choices (Mitzenmacher 2001): of two drawn at random, the less loaded for its weight. */
function lessLoadedFirst(
  drawn: AccountId[],
  candidates: readonly Candidate[],
  seen: Surroundings["seen"],
): AccountId[] {
  const [first, second] = drawn.slice(0, 2).map((id) => candidates.find(({ account }) => account.id === id));
  if (first === undefined || second === undefined || !areEquals(first, second)) return drawn;
  const load = ({ account }: Candidate) => seen(account.id).active / account.weight;
  return load(second) < load(first) ? [second.account.id, first.account.id, ...drawn.slice(2)] : drawn;
}

const areEquals = (a: Candidate, b: Candidate) =>
  a.reach === b.reach && a.account.priority === b.account.priority;

/** In (0, 1): never 0, whose logarithm is infinite. */
const uniform = (hash: number) => (hash + 0.5) / 2 ** 32;
