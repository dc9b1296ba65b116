/** The ways in which an account that speaks OpenAI's dialects fails, as verdicts. Pure. */
import type { CooldownReason } from "../../domain/cooldown.ts";
import type { RelayErrorCode } from "../../domain/errors.ts";
import type { EpochMs } from "../../domain/ids.ts";
import type { Failover, Verdict } from "../../domain/verdict.ts";

/** Accounts tried after the first, at most. */
const SWITCHES_MAX = 2;
/** What may be the upstream's or the caller's doing is worth one other account, not all of them. */
const SWITCHES_ON_DOUBT = 1;

interface Failure {
  readonly reason: CooldownReason;
  readonly code: RelayErrorCode;
  /** What the client is told. The upstream's own words may name the account's organization. */
  readonly client: string;
  readonly switches: number;
}

const FAILURES = {
  payment: {
    reason: "payment",
    code: "upstream_unavailable",
    client: "The upstream account has a billing problem.",
    switches: SWITCHES_MAX,
  },
  forbidden: {
    reason: "forbidden",
    code: "upstream_failed",
    client: "The upstream account may not do this.",
    switches: SWITCHES_MAX,
  },
  timeout: {
    reason: "timeout",
    code: "upstream_timeout",
    client: "The upstream took too long.",
    switches: SWITCHES_MAX,
  },
  server: {
    reason: "server_error",
    code: "upstream_failed",
    client: "The upstream failed.",
    switches: SWITCHES_MAX,
  },
  unavailable: {
    reason: "unavailable",
    code: "upstream_unavailable",
    client: "The upstream is unavailable.",
    switches: SWITCHES_MAX,
  },
  overloaded: {
    reason: "overloaded",
    code: "upstream_overloaded",
    client: "The upstream is overloaded.",
    switches: SWITCHES_ON_DOUBT,
  },
  limited: {
    reason: "rate_limited",
    code: "rate_limited",
    client: "The upstream account's rate limit is reached.",
    switches: SWITCHES_MAX,
  },
  model: {
    reason: "model",
    code: "model_not_found",
    client: "The upstream account does not have this model.",
    switches: SWITCHES_ON_DOUBT,
  },
} as const satisfies Record<string, Failure>;

/** @param message what the admin gets to see */
export function failover(
  kind: keyof typeof FAILURES,
  message: string,
  more: Partial<Failover> = {},
): Failover {
  const { reason, code, client, switches } = FAILURES[kind];
  const error = { code, message: client, retryAfterMs: null };
  const scope = kind === "model" ? "model" : "account";
  return { kind: "failover", scope, reason, until: null, message, error, switches, ...more };
}

export function limited(
  message: string,
  {
    until,
    scope,
    now,
  }: { readonly until: EpochMs | null; readonly scope: Failover["scope"]; readonly now: EpochMs },
): Failover {
  const verdict = failover("limited", message, { until, scope });
  const retryAfterMs = until === null ? null : Math.max(0, until - now);
  return { ...verdict, error: { ...verdict.error, retryAfterMs } };
}

/** A closed account: nothing but a person can open it again. */
export const closed = (message: string): Verdict => ({
  kind: "disable",
  reason: message,
  error: { code: "upstream_failed", message: "The upstream account is disabled.", retryAfterMs: null },
});
