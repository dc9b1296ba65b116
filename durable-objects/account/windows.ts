/** What the upstream says of an account's limits, and whether the account is to stop when it warns. Pure. */
import type { LimitWindow } from "../../worker/domain/cooldown.ts";
import type { EpochMs } from "../../worker/domain/ids.ts";
import { lift, strike } from "./cooldowns.ts";
import type { AccountState } from "./state.ts";

/** The window whose warning may stop an account. */
const WARNING_WINDOW = "5h";

export function observe(
  state: AccountState,
  windows: readonly LimitWindow[] | null,
  now: EpochMs,
): AccountState {
  return windows === null ? state : heedWarning({ ...state, windows }, now);
}

/**
 * The rest after a warning ends by itself when the window begins anew, or when the account is no longer to heed
 * it. A person's own switch is another matter and stays.
 */
export function heedWarning(state: AccountState, now: EpochMs): AccountState {
  if (!state.config.stopOnWarning) {
    const isResting = [...state.strikes.values()].some(({ reason }) => reason === "window_warning");
    return isResting ? { ...state, strikes: lift(state.strikes, ["window_warning"]) } : state;
  }
  const until = state.windows.find(
    ({ id, status }) => id === WARNING_WINDOW && status === "warning",
  )?.resetAt;
  if (until === undefined || until === null || until <= now) return state;
  const message = "The upstream warns that the five-hour window is nearly used up.";
  const failure = { scope: "account", target: null, reason: "window_warning", until, message } as const;
  return { ...state, strikes: strike(state.strikes, failure, now) };
}
