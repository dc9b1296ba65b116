/** How errors look in the Anthropic Messages dialect (docs.anthropic.com/en/api/errors). Pure. */
import { ERROR_STATUS, type ErrorFacts, type RelayErrorCode } from "../../domain/errors.ts";
import type { RenderedError } from "../protocol.ts";

const ERROR_TYPE = {
  invalid_request: "invalid_request_error",
  unauthenticated: "authentication_error",
  budget_exhausted: "billing_error",
  permission_denied: "permission_error",
  not_found: "not_found_error",
  model_not_found: "not_found_error",
  method_not_allowed: "invalid_request_error",
  conflict: "invalid_request_error",
  payload_too_large: "request_too_large",
  upgrade_refused: "invalid_request_error",
  rate_limited: "rate_limit_error",
  concurrency_exceeded: "rate_limit_error",
  internal: "api_error",
  upstream_failed: "api_error",
  upstream_interrupted: "api_error",
  upstream_overloaded: "overloaded_error",
  upstream_unavailable: "api_error",
  no_account_available: "overloaded_error",
  upstream_timeout: "timeout_error",
} as const satisfies Record<RelayErrorCode, string>;

// Anthropic says "try again later" with 529, which its clients know how to wait for.
const statusOf = (code: RelayErrorCode): number =>
  code === "no_account_available" ? 529 : ERROR_STATUS[code];

const bodyOf = (error: ErrorFacts, requestId: string): string =>
  JSON.stringify({
    type: "error",
    // `code` is ours, as OpenAI's errors have it: which of the key's limits refused.
    error: { type: ERROR_TYPE[error.code], message: error.message, code: error.reason },
    request_id: requestId,
  });

export const renderError = (error: ErrorFacts, requestId: string): RenderedError => ({
  status: statusOf(error.code),
  contentType: "application/json",
  body: bodyOf(error, requestId),
});

export const renderErrorEvent = (error: ErrorFacts, requestId: string, atBoundary: boolean): Uint8Array =>
  new TextEncoder().encode(`${atBoundary ? "" : "\n\n"}event: error\ndata: ${bodyOf(error, requestId)}\n\n`);
