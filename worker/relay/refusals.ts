/** Why accounts refused a request, and how its client is told when none would serve it. Pure. */
import type { ErrorFacts } from "../domain/errors.ts";
import type { EpochMs } from "../domain/ids.ts";
import type { RefusalReason } from "../domain/lease.ts";

export interface Refusal {
  readonly reason: RefusalReason;
  readonly retryAt: EpochMs | null;
}

/** A slot may come free at any moment. */
const FULL_RETRY_MS = 5000;

const EXPLANATION: Readonly<Record<RefusalReason, string>> = {
  full: "every slot of every account is in use",
  rate_limited: "rate limits are reached",
  overloaded: "the upstream is overloaded",
  unauthorized: "accounts could not sign in",
  forbidden: "accounts may not do this",
  payment: "accounts have billing problems",
  unavailable: "the upstream is unavailable",
  server_error: "the upstream fails",
  network: "the upstream cannot be reached",
  proxy: "proxies of accounts fail",
  timeout: "the upstream takes too long",
  model: "no account has this model",
  window_warning: "limits are nearly used up",
  disabled: "accounts are switched off",
  paused: "accounts are paused",
  expired: "subscriptions have ended",
};

export const BINDING_GONE: ErrorFacts = {
  code: "no_account_available",
  message:
    "The account that this key is bound to was deleted. Ask the relay's administrator to bind it anew.",
  retryAfterMs: null,
  reason: "binding_gone",
};

/** Why no account can serve, in one error: what most holds it up, and when the first may serve again. */
export function explain(refusals: readonly Refusal[], now: EpochMs): ErrorFacts {
  if (refusals.length === 0) {
    return {
      code: "no_account_available",
      message: "No upstream account is set up for this key and model. Ask the relay's administrator.",
      retryAfterMs: null,
    };
  }
  const retryAt = refusals.reduce((soonest, { retryAt: at }) => Math.min(soonest, at ?? Infinity), Infinity);
  const retryAfterMs = retryAt === Infinity ? null : Math.max(0, retryAt - now);
  const reasons = [...new Set(refusals.map(({ reason }) => reason))];
  const message = `No upstream account can serve this now: ${reasons.map((reason) => EXPLANATION[reason]).join(", ")}.`;
  if (reasons.every((reason) => reason === "rate_limited"))
    return { code: "rate_limited", message, retryAfterMs };
  if (reasons.every((reason) => reason === "model"))
    return { code: "model_not_found", message, retryAfterMs };
  if (reasons.includes("full"))
    return { code: "no_account_available", message, retryAfterMs: retryAfterMs ?? FULL_RETRY_MS };
  return { code: "no_account_available", message, retryAfterMs };
}
