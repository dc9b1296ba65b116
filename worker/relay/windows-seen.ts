/** What this isolate has told the accounts' objects of their limits: only what is new is worth telling. */
import type { LimitWindow } from "../domain/cooldown.ts";
import type { AccountId } from "../domain/ids.ts";

const ACCOUNTS_MAX = 5000;
const told = new Map<AccountId, string>();

/** The windows if they are news, else null. */
export function newsOf(
  account: AccountId,
  windows: readonly LimitWindow[] | null,
): readonly LimitWindow[] | null {
  if (windows === null) return null;
  const text = JSON.stringify(windows);
  if (told.get(account) === text) return null;
  if (told.size >= ACCOUNTS_MAX) told.clear();
  told.set(account, text);
  return windows;
}
