/** What an admin sees of an account, and whether it can be scheduled now. */
import type { AccountStatus } from "../../worker/domain/account.ts";
import type { EpochMs } from "../../worker/domain/ids.ts";
import { active } from "./cooldowns.ts";
import type { CredentialKeeper } from "./credential.ts";
import { maskCredential } from "./mask.ts";
import { availability, type AccountState } from "./state.ts";

export function statusOf(
  state: AccountState,
  keeper: CredentialKeeper | null,
  sessions: number,
  now: EpochMs,
): AccountStatus {
  return {
    id: state.config.id,
    availability: deadCredential(keeper, now) ?? availability(state, now),
    cooldowns: active(state.strikes, now),
    windows: state.windows,
    activeLeases: state.leases.size,
    waiting: state.queue.waiters.length,
    sessions,
    credential: { ...maskCredential(keeper?.credential), ...keeper?.description },
    tokenExpiresAt: keeper?.expiresAt ?? null,
    lastRefreshAt: keeper?.lastRefreshAt ?? null,
    refreshError: keeper?.refreshError ?? null,
    lastUsedAt: state.lastUsedAt,
  };
}

/** An expired credential that nothing can refresh any more keeps the account out like a switch; null: it is fine. */
function deadCredential(keeper: CredentialKeeper | null, now: EpochMs): AccountStatus["availability"] | null {
  const expiresAt = keeper?.expiresAt ?? null;
  const isDead = expiresAt !== null && expiresAt <= now && keeper?.refreshAt === null;
  if (!isDead) return null;
  const reason = keeper.refreshError ?? "The credential has expired: sign in again.";
  return { kind: "disabled", reason };
}
