/** How many accounts can be used now. */
import type { AccountStatus } from "../domain/account.ts";
import type { Env } from "../env.ts";
import { listAccounts } from "../storage/accounts.ts";
import { accountObject } from "./objects.ts";

/** Accounts whose running state is asked for; more are counted, not asked. */
const ASKED_MAX = 200;

type Kind = AccountStatus["availability"]["kind"];

export interface AccountCounts extends Readonly<Record<Kind, number>> {
  readonly total: number;
}

export async function countAccounts(env: Env): Promise<AccountCounts> {
  const accounts = await listAccounts(env.DB);
  const asked = accounts.slice(0, ASKED_MAX).map(({ id }) => accountObject(env, id).status());
  const kinds = (await Promise.all(asked)).map((status): Kind => status?.availability.kind ?? "disabled");
  const count = (kind: Kind) => kinds.filter((each) => each === kind).length;
  return {
    total: accounts.length,
    available: count("available"),
    full: count("full"),
    cooling: count("cooling"),
    disabled: count("disabled"),
    paused: count("paused"),
    expired: count("expired"),
  };
}
