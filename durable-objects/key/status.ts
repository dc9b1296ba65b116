/** A key's running state as others see it. */
import type { KeyStatus } from "../../worker/domain/key.ts";
import { limitsOf, limitStatus } from "./limits.ts";
import { expiryOf } from "./rules.ts";
import type { KeyState } from "./state.ts";

/** Call `rolled` first. */
export const statusOf = (state: KeyState): KeyStatus => ({
  activePermits: state.permits.size,
  waiting: state.queue.waiters.length,
  activatedAt: state.activatedAt,
  expiresAt: expiryOf(state),
  lastUsedAt: state.lastUsedAt,
  totalRequests: state.totals.requests,
  totalTokens: state.totals.tokens,
  totalCost: state.totals.cost,
  limits: limitsOf(state.tallies, state.reserved, state.config).map(limitStatus),
});
