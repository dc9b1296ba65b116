/** What an answer of Anthropic's API means: the one table of status codes, limit headers and texts. Pure. */
import type { CooldownReason } from "../../domain/cooldown.ts";
import type { ErrorFacts, RelayErrorCode } from "../../domain/errors.ts";
import type { EpochMs } from "../../domain/ids.ts";
import { unauthorized, type AnswerFacts, type Verdict } from "../../domain/verdict.ts";
import { modelFamily } from "./request.ts";
import { resetOf } from "./reset.ts";

/** Accounts tried after the first, at most. */
const SWITCHES_MAX = 2;
/** An overload is the upstream's, not the account's: one other account is worth a try, not all of them. */
const SWITCHES_ON_OVERLOAD = 1;
const MESSAGE_LENGTH_MAX = 300;

/** Texts that mean an account is closed (seen in 400 and 403 answers). */
const BANNED = [
  "organization has been disabled",
  "account has been disabled",
  "account is disabled",
  "oauth authentication is currently not allowed",
];
/** 429 texts about the request itself: the plan does not include what was asked for. */
const CALLERS_LIMIT = ["extra usage", "long context"];

/** "Invalid `signature` in `thinking` block", and the same of the data of redacted thinking. */
const BOUND = /invalid\b.*\b(signature|data)\b.*\bthinking/i;

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
  overloaded: { reason: "overloaded", code: "upstream_overloaded", client: "Overloaded" },
  limited: {
    reason: "rate_limited",
    code: "rate_limited",
    client: "The upstream account's rate limit is reached.",
  },
} as const satisfies Record<string, Failure>;

/** The error message inside an Anthropic error body, bounded; the body itself where it has none. */
export function errorMessageOf(bodyText: string): string {
  try {
    const body: unknown = JSON.parse(bodyText);
    const error = typeof body === "object" && body !== null && "error" in body ? body.error : null;
    if (
      typeof error === "object" &&
      error !== null &&
      "message" in error &&
      typeof error.message === "string"
    ) {
      return error.message.slice(0, MESSAGE_LENGTH_MAX);
    }
  } catch {
    // An HTML page or a cut body: the text itself is the message.
  }
  return bodyText
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, MESSAGE_LENGTH_MAX);
}

function failover(
  failure: Failure,
  message: string,
  more: Partial<Extract<Verdict, { kind: "failover" }>> = {},
): Verdict {
  const error: ErrorFacts = { code: failure.code, message: failure.client, retryAfterMs: null };
  return {
    kind: "failover",
    scope: "account",
    reason: failure.reason,
    until: null,
    message,
    error,
    switches: SWITCHES_MAX,
    ...more,
  };
}

function judgeLimit(answer: AnswerFacts, message: string, now: EpochMs): Verdict {
  if (CALLERS_LIMIT.some((text) => message.toLowerCase().includes(text))) return REJECT;
  const { until, family } = resetOf(answer.headers, now);
  const retryAfterMs = until === null ? null : Math.max(0, until - now);
  return failover(FAILURES.limited, message, {
    scope: family && modelFamily(answer.model) !== null ? "modelFamily" : "account",
    until,
    error: {
      code: "rate_limited",
      message: message === "" ? FAILURES.limited.client : message,
      retryAfterMs,
    },
  });
}

function judgeMissing(message: string): Verdict {
  if (!message.toLowerCase().includes("model")) return REJECT;
  return failover({ reason: "model", code: "model_not_found", client: message }, message, {
    scope: "model",
    switches: 1,
  });
}

/** A closed account: nothing but a person can open it again. */
const banned = (message: string): Verdict => ({
  kind: "disable",
  reason: message,
  error: { code: "upstream_failed", message: "The upstream account is disabled.", retryAfterMs: null },
});

// What is kept of an upstream's own failure: its text may quote the prompt, so not a word of it.
const eventText = (errorType: string) => `The upstream sent an error event: ${errorType}.`;
const statusText = (status: number) => `The upstream answered HTTP ${String(status)}.`;

export function judgeAnthropic(answer: AnswerFacts, now: EpochMs): Verdict {
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: "deliver" };
  const message = errorMessageOf(answer.bodyText);
  const closed = BANNED.some((text) => message.toLowerCase().includes(text));
  switch (status) {
    case 400:
      return closed ? banned(message) : { kind: "reject", bound: BOUND.test(message) };
    case 401:
      return { kind: "refresh", message };
    case 402:
      return failover(FAILURES.payment, message);
    case 403:
      return closed ? banned(message) : failover(FAILURES.forbidden, message);
    case 404:
      return judgeMissing(message);
    case 408:
      return failover(FAILURES.timeout, statusText(status));
    case 429:
      return judgeLimit(answer, message, now);
    case 503:
      return failover(FAILURES.unavailable, statusText(status), {
        until: resetOf(answer.headers, now).until,
      });
    case 529:
      return failover(FAILURES.overloaded, statusText(status), { switches: SWITCHES_ON_OVERLOAD });
  }
  // Redirects are not followed (a credential would travel with them), so a 3xx is an upstream set up wrongly.
  if (status >= 500 || status < 400) return failover(FAILURES.server, statusText(status));
  return REJECT;
}

export function judgeAnthropicEvent(errorType: string, message: string): Verdict {
  switch (errorType) {
    case "overloaded_error":
      return failover(FAILURES.overloaded, eventText(errorType), { switches: SWITCHES_ON_OVERLOAD });
    case "rate_limit_error":
      return failover(FAILURES.limited, message);
    case "api_error":
    case "timeout_error":
      return failover(FAILURES.server, eventText(errorType));
    case "authentication_error":
    case "permission_error":
      return unauthorized(message);
    default:
      return { kind: "deliver" };
  }
}
