/** What this isolate has seen of the accounts it uses: enough to spread load, never enough to decide a slot. */
import type { AccountId, EpochMs } from "../domain/ids.ts";
import type { Seen } from "./schedule.ts";

const ACCOUNTS_MAX = 5000;
const NEVER: Seen = { active: 0, lastUsedAt: 0 };

const accounts = new Map<AccountId, Seen>();

export const accountsSeen = {
  of: (account: AccountId): Seen => accounts.get(account) ?? NEVER,

  /** @param active leases the account said it holds */
  leased(account: AccountId, active: number, now: EpochMs): void {
    if (accounts.size >= ACCOUNTS_MAX) accounts.clear();
    accounts.set(account, { active, lastUsedAt: now });
  },

  released(account: AccountId): void {
    const seen = accounts.get(account);
    if (seen !== undefined) accounts.set(account, { ...seen, active: Math.max(0, seen.active - 1) });
  },
};
