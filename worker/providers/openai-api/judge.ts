/** What an answer in one of OpenAI's dialects means: the one table of status codes, error codes and texts. Pure. */
import type { EpochMs } from "../../domain/ids.ts";
import { unauthorized, type AnswerFacts, type Verdict } from "../../domain/verdict.ts";
import { readErrorBody, type ErrorBody } from "./error-body.ts";
import { closed, failover, limited } from "./failures.ts";
import { resetInText, resetOf } from "./reset.ts";

const REJECT: Verdict = { kind: "reject", bound: false };

/** Error codes and types (platform.openai.com/docs/guides/error-codes, and Azure's) by what they mean. */
const PAYMENT = ["insufficient_quota", "billing_not_active", "billing_hard_limit_reached"];
const CLOSED = ["account_deactivated", "organization_deactivated", "deactivated_workspace"];
const MODEL = ["model_not_found", "deploymentnotfound", "model_not_available"];
const OVERLOADED = ["server_is_overloaded", "overloaded_error", "slow_down", "engine_overloaded"];
/** Limits of a ChatGPT plan: of the whole account, whatever the model. */
const PLAN_LIMIT = ["usage_limit_reached", "usage_not_included"];
const LIMIT = [...PLAN_LIMIT, "rate_limit_exceeded", "rate_limit_error", "requests", "tokens"];
const SIGN_IN = ["invalid_api_key", "authentication_error", "token_expired", "token_invalidated"];
const SERVER = ["server_error", "internal_server_error", "internal_error", "api_error", "timeout"];
/** Reasoning of another organization, which this one cannot decrypt. */
const BOUND = ["invalid_encrypted_content"];

/** The plan behind a ChatGPT account, and not the request, excludes the model. */
const NOT_IN_PLAN = /model.{0,100} is not supported when using codex/i;
/** OpenAI's per-minute limits are each model's own; the text says whose. */
const OF_MODEL = /limit reached for \S+/i;
const BOUND_TEXT = /encrypted content.{0,200} could not be (?:verified|decrypted)/i;

const isOne = (list: readonly string[], { names }: Pick<ErrorBody, "names">) =>
  names.some((name) => list.includes(name));

/** What is kept of an upstream's own failure: its body may quote the prompt, so not a word of it. */
const statusText = (status: number) => `The upstream answered HTTP ${String(status)}.`;

function judgeLimit({ headers }: AnswerFacts, body: ErrorBody, now: EpochMs): Verdict {
  const ofModel = !isOne(PLAN_LIMIT, body) && OF_MODEL.test(body.message);
  return limited(body.message, {
    until: resetOf(headers, body, now),
    scope: ofModel ? "model" : "account",
    now,
  });
}

export function judgeOpenAi(answer: AnswerFacts, now: EpochMs): Verdict {
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: "deliver" };
  const body = readErrorBody(answer.bodyText);
  const isFault = status >= 400 && status < 500;
  if (isFault && isOne(CLOSED, body)) return closed(body.message);
  if (isFault && isOne(PAYMENT, body)) return failover("payment", body.message);
  switch (status) {
    case 400:
      if (NOT_IN_PLAN.test(body.message)) return failover("model", body.message);
      return { kind: "reject", bound: isOne(BOUND, body) || BOUND_TEXT.test(body.message) };
    case 401:
      return { kind: "refresh", message: body.message };
    case 402:
      return failover("payment", body.message);
    case 403:
      return failover(isOne(MODEL, body) ? "model" : "forbidden", body.message);
    case 404:
      return isOne(MODEL, body) || /\bmodel\b/i.test(body.message) ? failover("model", body.message) : REJECT;
    case 408:
      return failover("timeout", statusText(status));
    case 429:
      return judgeLimit(answer, body, now);
    case 503:
      return isOne(OVERLOADED, body)
        ? failover("overloaded", statusText(status))
        : failover("unavailable", statusText(status), { until: resetOf(answer.headers, body, now) });
    case 529:
      return failover("overloaded", statusText(status));
  }
  // Redirects are not followed (a credential would travel with them), so a 3xx is an upstream set up wrongly.
  if (status >= 500 || status < 400) return failover("server", statusText(status));
  return REJECT;
}

/** An event has no status: what it names as its code decides. What is unknown speaks of the request. */
export function judgeOpenAiEvent(errorType: string, message: string, now: EpochMs): Verdict {
  const body = { names: [errorType.toLowerCase()] };
  if (isOne(PAYMENT, body)) return failover("payment", message);
  if (isOne(CLOSED, body)) return closed(message);
  if (isOne(LIMIT, body)) {
    const scope = !isOne(PLAN_LIMIT, body) && OF_MODEL.test(message) ? "model" : "account";
    return limited(message, { until: resetInText(message, now), scope, now });
  }
  if (isOne(OVERLOADED, body)) return failover("overloaded", message);
  if (isOne(MODEL, body)) return failover("model", message);
  if (isOne(SIGN_IN, body)) return unauthorized(message);
  if (isOne(SERVER, body)) return failover("server", message);
  return { kind: "deliver" };
}
