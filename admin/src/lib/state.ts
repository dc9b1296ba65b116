/** How an account's or a key's state is shown. Pure. */
import type {
  AccountView,
  Availability,
  Cooldown,
  CooldownReason,
  EpochMs,
  KeyView,
  Outcome,
  RefusalReason,
} from "./domain";

export type Tone = "good" | "warn" | "bad" | "quiet";

export interface Shown {
  readonly tone: Tone;
  readonly label: string;
}

const REASONS = {
  rate_limited: "rate limited",
  overloaded: "overloaded",
  unauthorized: "credential refused",
  forbidden: "access denied",
  payment: "payment needed",
  unavailable: "unavailable",
  server_error: "server error",
  network: "network error",
  proxy: "proxy failed",
  timeout: "timed out",
  model: "model not served",
  window_warning: "limit nearly used up",
} as const satisfies Record<CooldownReason, string>;

export const reasonText = (reason: CooldownReason): string => REASONS[reason];

const REFUSALS: Readonly<Record<RefusalReason, string>> = {
  ...REASONS,
  full: "every slot is taken",
  disabled: "switched off",
  paused: "paused",
  expired: "subscription ended",
};

/** Why an account did not serve a request; the books may hold reasons that only an older relay knew. */
export const refusalText = (reason: string): string =>
  Object.entries(REFUSALS).find(([known]) => known === reason)?.[1] ?? reason;

/** What a cooldown covers, in words. */
export function scopeText(cooldown: Cooldown): string {
  switch (cooldown.scope) {
    case "account":
      return "whole account";
    case "modelFamily":
      return `${cooldown.target ?? "some"} models`;
    case "model":
      return cooldown.target ?? "one model";
  }
}

function availabilityShown(availability: Availability): Shown {
  switch (availability.kind) {
    case "available":
      return { tone: "good", label: "Available" };
    case "full":
      return { tone: "warn", label: "Full" };
    case "cooling":
      return { tone: "warn", label: "Cooling" };
    case "disabled":
      return { tone: "bad", label: "Disabled" };
    case "paused":
      return { tone: "quiet", label: "Paused" };
    case "expired":
      return { tone: "bad", label: "Expired" };
  }
}

export function accountShown(account: AccountView): Shown {
  if (!account.enabled) return { tone: "quiet", label: "Disabled" };
  if (account.status === null) return { tone: "quiet", label: "Unknown" };
  return availabilityShown(account.status.availability);
}

export function keyShown(key: KeyView, now: EpochMs): Shown {
  if (!key.enabled) return { tone: "quiet", label: "Disabled" };
  if (key.suspended) return { tone: "quiet", label: "Suspended with its owner" };
  const expiresAt = key.status?.expiresAt ?? key.expiresAt;
  if (expiresAt !== null && expiresAt <= now) return { tone: "bad", label: "Expired" };
  const activated = key.status !== null && key.status.activatedAt !== null;
  if (key.activation !== null && !activated) return { tone: "warn", label: "Waiting for first use" };
  return { tone: "good", label: "Active" };
}

const OUTCOMES = {
  completed: { tone: "good", label: "Completed" },
  client_gone: { tone: "quiet", label: "Client left" },
  interrupted: { tone: "warn", label: "Interrupted" },
  failed: { tone: "bad", label: "Failed" },
  lost: { tone: "warn", label: "Lost" },
} as const satisfies Record<Outcome, Shown>;

export const outcomeShown = (outcome: Outcome): Shown => OUTCOMES[outcome];
