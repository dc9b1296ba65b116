/** What an answer of Google's means, of the Gemini API as of Code Assist: the one table of codes and reasons. Pure. */
import type { CooldownReason } from "../../domain/cooldown.ts";
import type { RelayErrorCode } from "../../domain/errors.ts";
import type { EpochMs } from "../../domain/ids.ts";
import { unauthorized, type AnswerFacts, type Failover, type Verdict } from "../../domain/verdict.ts";
import { readGoogleError, type GoogleError } from "./error-body.ts";
import { quotaReset, quotaScope, retryAfter } from "./quota.ts";

/** Accounts tried after the first, at most. */
const SWITCHES_MAX = 2;
/** An overload is the upstream's, not the account's: one other account is worth a try, not all of them. */
const SWITCHES_ON_OVERLOAD = 1;

/** "Thought signature is not valid", "Corrupted thought signature": it was made elsewhere. */
const BOUND = /thought.?signature/i;
/** Nothing but a person can open these again. */
const CLOSED = /reported as leaked|has been (suspended|disabled|terminated)/i;
const CLOSED_REASONS = ["CONSUMER_SUSPENDED", "API_KEY_LEAKED"];
const OVERLOADED = /overloaded|no capacity|high demand/i;
const CAPACITY_REASON = "MODEL_CAPACITY_EXHAUSTED";

const REJECT: Verdict = { kind: "reject", bound: false };

interface Failure {
  readonly reason: CooldownReason;
  readonly code: RelayErrorCode;
  readonly client: string;
}

const FAILURES = {
  payment: {
    reason: "payment",
    code: "upstream_unavailable",
    client: "The upstream account has a billing problem.",
  },
  forbidden: {
    reason: "forbidden",
    code: "upstream_failed",
    client: "The upstream account may not do this.",
  },
  timeout: { reason: "timeout", code: "upstream_timeout", client: "The upstream took too long." },
  server: { reason: "server_error", code: "upstream_failed", client: "The upstream failed." },
  unavailable: {
    reason: "unavailable",
    code: "upstream_unavailable",
    client: "The upstream is unavailable.",
  },
  overloaded: {
    reason: "overloaded",
    code: "upstream_overloaded",
    client: "The model is overloaded. Please try again later.",
  },
  limited: {
    reason: "rate_limited",
    code: "rate_limited",
    client: "The upstream account's quota is used up.",
  },
} as const satisfies Record<string, Failure>;

const failover = (failure: Failure, message: string, more: Partial<Failover> = {}): Failover => ({
  kind: "failover",
  scope: "account",
  reason: failure.reason,
  until: null,
  message,
  error: { code: failure.code, message: failure.client, retryAfterMs: null },
  switches: SWITCHES_MAX,
  ...more,
});

/** Other models of the account still serve, and the upstream's other accounts share the trouble. */
const overloaded = (message: string, until: EpochMs | null): Failover =>
  failover(FAILURES.overloaded, message, { scope: "model", until, switches: SWITCHES_ON_OVERLOAD });

function judgeQuota(error: GoogleError, headers: Headers, now: EpochMs): Verdict {
  const until = quotaReset(error, headers, now);
  if (error.reasons.includes(CAPACITY_REASON)) return overloaded(statusText(429), until);
  const { message } = error;
  return failover(FAILURES.limited, message, {
    scope: quotaScope(error),
    until,
    error: {
      code: "rate_limited",
      message: message === "" ? FAILURES.limited.client : message,
      retryAfterMs: until === null ? null : until - now,
    },
  });
}

const closed = (message: string): Verdict => ({
  kind: "disable",
  reason: message,
  error: { code: "upstream_failed", message: "The upstream account is disabled.", retryAfterMs: null },
});

const isClosed = ({ message, reasons }: GoogleError): boolean =>
  CLOSED.test(message) || reasons.some((reason) => CLOSED_REASONS.includes(reason));

/** Google answers 400 where others say 401 (a wrong key), 402 (no billing) or 403 (a place it does not serve). */
function judgeBadRequest(error: GoogleError): Verdict {
  const { message, reasons, status } = error;
  const isKey = reasons.some((reason) => reason === "API_KEY_INVALID" || reason === "API_KEY_EXPIRED");
  if (isKey || /api key (not valid|expired)/i.test(message)) return { kind: "refresh", message };
  if (isClosed(error)) return closed(message);
  if (status !== "FAILED_PRECONDITION") return { kind: "reject", bound: BOUND.test(message) };
  if (/billing/i.test(message)) return failover(FAILURES.payment, message);
  return /location/i.test(message) ? failover(FAILURES.forbidden, message) : REJECT;
}

/**
 * A model nobody knows, or one that this account has not. "Requested entity was not found" may as well mean a file or a
 * cache that the client named: a model must not rest for everybody because of it.
 */
function judgeMissing(message: string, model: string): Verdict {
  if (!/model/i.test(message) || !message.includes(model)) return REJECT;
  return failover({ reason: "model", code: "model_not_found", client: message }, message, {
    scope: "model",
    switches: 1,
  });
}

/** What is kept of an upstream's own failure: its body may quote the prompt, so not a word of it. */
const statusText = (status: number) => `The upstream answered HTTP ${String(status)}.`;

export function judgeGoogle(answer: AnswerFacts, now: EpochMs): Verdict {
  const { status, headers } = answer;
  if (status >= 200 && status < 300) return { kind: "deliver" };
  const error = readGoogleError(answer.bodyText);
  switch (status) {
    case 400:
      return judgeBadRequest(error);
    case 401:
      return { kind: "refresh", message: error.message };
    case 402:
      return failover(FAILURES.payment, error.message);
    case 403:
      return isClosed(error) ? closed(error.message) : failover(FAILURES.forbidden, error.message);
    case 404:
      return judgeMissing(error.message, answer.model);
    case 408:
    case 504:
      return failover(FAILURES.timeout, statusText(status));
    case 429:
      return judgeQuota(error, headers, now);
    case 503: {
      const until = retryAfter(headers, now);
      return OVERLOADED.test(error.message)
        ? overloaded(statusText(status), until)
        : failover(FAILURES.unavailable, statusText(status), { until });
    }
  }
  // Redirects are not followed (a credential would travel with them), so a 3xx is an upstream set up wrongly.
  if (status >= 500 || status < 400) return failover(FAILURES.server, statusText(status));
  return REJECT;
}

/** A key cannot be renewed. */
export function judgeGoogleKey(answer: AnswerFacts, now: EpochMs): Verdict {
  const verdict = judgeGoogle(answer, now);
  return verdict.kind === "refresh" ? unauthorized(verdict.message) : verdict;
}

/** Not a word of the event is kept: it may quote the prompt. */
export function judgeGoogleEvent(errorType: string, message: string): Verdict {
  const said = `The upstream's stream said ${errorType}.`;
  switch (errorType) {
    case "RESOURCE_EXHAUSTED":
      return failover(FAILURES.limited, said);
    case "UNAVAILABLE":
      return OVERLOADED.test(message) ? overloaded(said, null) : failover(FAILURES.unavailable, said);
    case "INTERNAL":
    case "UNKNOWN":
    case "ABORTED":
      return failover(FAILURES.server, said);
    case "DEADLINE_EXCEEDED":
      return failover(FAILURES.timeout, said);
    case "UNAUTHENTICATED":
    case "PERMISSION_DENIED":
      return unauthorized(said);
    default:
      return { kind: "deliver" };
  }
}
