/** Which accounts a call may go to, best first. Pure: the same session ranks the same accounts everywhere. */
import type { Directory, DirectoryEntry } from "../domain/account.ts";
import type { AccountId, Affinity } from "../domain/ids.ts";
import type { KeySnapshot } from "../domain/key.ts";
import { fitsAny } from "../domain/wildcard.ts";

export interface Wish {
  readonly binding: KeySnapshot["binding"];
  readonly model: string;
  readonly affinity: Affinity | null;
  /** Whether accounts of a provider speak the call's protocol. */
  readonly servedBy: (provider: string) => boolean;
}

/**
 * Accounts to try, best first: by priority tier; within a tier by weighted rendezvous hashing on the session
 * (Thaler and Ravishankar 1998; the weighted form is -ln(hash) / weight), so that an account that comes or goes
 * moves only the sessions that are its own. Without a session, the tier is drawn at random by weight.
 *
 * @param random uniform in (0, 1); used only without a session
 */
export function schedule(directory: Directory, wish: Wish, random: () => number): AccountId[] {
  const seed = wish.affinity === null ? null : hash32(wish.affinity, 0);
  const scored = directory.accounts
    .filter((account) => isCandidate(account, wish))
    .map((account) => {
      const draw = seed === null ? random() : uniform(hash32(account.id, seed));
      return { account, score: -Math.log(draw) / account.weight };
    });
  scored.sort((a, b) => a.account.priority - b.account.priority || a.score - b.score);
  return scored.map(({ account }) => account.id);
}

function isCandidate(account: DirectoryEntry, wish: Wish): boolean {
  return (
    account.enabled &&
    isBound(account, wish.binding) &&
    wish.servedBy(account.provider) &&
    serves(account, wish.model)
  );
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

/** An account without a list serves every model. */
export const serves = (account: Pick<DirectoryEntry, "models">, model: string): boolean =>
  account.models.length === 0 || fitsAny(account.models, model);

/** In (0, 1): never 0, whose logarithm is infinite. */
const uniform = (hash: number) => (hash + 0.5) / 2 ** 32;

/** MurmurHash3 (32 bits, Austin Appleby, public domain) over UTF-16 code units: fast, and even where it counts. */
function hash32(text: string, seed: number): number {
  let hash = seed | 0;
  for (let i = 0; i < text.length; i++) {
    let unit = Math.imul(text.charCodeAt(i), 0xcc9e2d51);
    unit = (unit << 15) | (unit >>> 17);
    hash ^= Math.imul(unit, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= text.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
