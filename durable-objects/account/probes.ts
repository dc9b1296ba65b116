/**
 * Looking whether an account that rests is well again, before its first request has to find out. Only after
 * failures that a call without cost can tell, and only of accounts that are in use. Pure.
 */
import type { CooldownReason } from "../../worker/domain/cooldown.ts";
import type { EpochMs } from "../../worker/domain/ids.ts";
import { lift, strike } from "./cooldowns.ts";
import type { AccountState } from "./state.ts";

/** A limit or a bill is over when the upstream says so; these are over when it answers. */
const PROBED: readonly CooldownReason[] = ["network", "proxy", "timeout", "unavailable", "server_error"];

/** So much before a rest is over, in ms: enough for an answer, so that no request meets the failure first. */
const PROBE_AHEAD_MS = 5000;
/** Shorter rests are over before a probe is worth its call. */
const REST_MS_MIN = 20_000;
/** An account that nobody used for so long, in ms, is left alone. */
const IN_USE_MS = 3_600_000;

export type Probed = { readonly kind: "well" } | { readonly kind: "failing"; readonly message: string };

const probed = (state: AccountState, now: EpochMs) =>
  [...state.strikes.values()].filter(
    ({ scope, reason, until, lastFailureAt }) =>
      until > now && until - lastFailureAt >= REST_MS_MIN && scope === "account" && PROBED.includes(reason),
  );

/** When to look next; Infinity: there is nothing to look for. */
export function probeAt(state: AccountState, now: EpochMs): EpochMs {
  const isInUse = state.lastUsedAt !== null && now - state.lastUsedAt <= IN_USE_MS;
  if (!isInUse || !state.config.enabled || state.stopped !== null) return Infinity;
  return probed(state, now).reduce(
    (soonest, { until }) => Math.min(soonest, until - PROBE_AHEAD_MS),
    Infinity,
  );
}

/** What was found: the rest ends now, or begins again and longer. */
export function learnFromProbe(state: AccountState, result: Probed, now: EpochMs): AccountState {
  switch (result.kind) {
    case "well":
      return { ...state, strikes: lift(state.strikes, PROBED) };
    case "failing": {
      const strikes = probed(state, now).reduce(
        // The failure comes at the end of the rest, so that the next one is longer.
        (before, { reason, until }) =>
          strike(
            before,
            { scope: "account", target: null, reason, until: null, message: result.message },
            Math.max(now, until),
            state.config.cooldownSeconds,
          ),
        state.strikes,
      );
      return { ...state, strikes };
    }
  }
}
