/** Why accounts rest, and what their upstreams say of their limits. Pure. */
import type { EpochMs } from "./ids.ts";

/** Failures that an account rests after. */
export const PROTECTED_REASONS = [
  "rate_limited",
  "overloaded",
  "unauthorized",
  "forbidden",
  "payment",
  "unavailable",
  "server_error",
  "network",
  "proxy",
  "timeout",
  "model",
] as const;

/** Why an account, or a part of it, is not chosen for a while. */
export type CooldownReason =
  | (typeof PROTECTED_REASONS)[number]
  /** The upstream warned that a window is nearly used up, and the account is set to stop then. */
  | "window_warning";

/** What a cooldown covers: the whole account, one model family of it, or one model. */
export type CooldownScope = "account" | "modelFamily" | "model";

/** Time in which an account, or one model family or model of it, is not chosen. */
export interface Cooldown {
  readonly scope: CooldownScope;
  /** The family or the model; null for the whole account. */
  readonly target: string | null;
  readonly reason: CooldownReason;
  /** What the upstream said, without secrets. */
  readonly message: string;
  readonly until: EpochMs;
  /** Consecutive failures of this kind: the back-off doubles with each. */
  readonly strikes: number;
}

/** The one answer to "can it be scheduled now, and if not, why and until when". */
export type Availability =
  | { readonly kind: "available" }
  | { readonly kind: "full"; readonly waiting: number }
  | { readonly kind: "cooling"; readonly cooldown: Cooldown }
  | { readonly kind: "disabled"; readonly reason: string }
  | { readonly kind: "paused" }
  | { readonly kind: "expired"; readonly at: EpochMs };

/** One of the upstream's limits on an account, such as the five hours of a subscription. */
export interface LimitWindow {
  /** As the upstream names it: `5h`, `7d`, `7d_opus`. */
  readonly id: string;
  readonly status: "allowed" | "warning" | "rejected" | null;
  /** Share used, 0 to 1; null: the upstream did not say. */
  readonly utilization: number | null;
  readonly resetAt: EpochMs | null;
}
