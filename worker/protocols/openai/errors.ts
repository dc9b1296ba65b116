/** How errors look in OpenAI's dialects (platform.openai.com/docs/guides/error-codes). Pure. */
import { ERROR_STATUS, type ErrorFacts, type RelayErrorCode } from "../../domain/errors.ts";
import type { RenderedError } from "../protocol.ts";

interface Kind {
  readonly type: string;
  readonly code: string | null;
}

const KINDS = {
  invalid_request: { type: "invalid_request_error", code: null },
  unauthenticated: { type: "invalid_request_error", code: "invalid_api_key" },
  budget_exhausted: { type: "insufficient_quota", code: "insufficient_quota" },
  permission_denied: { type: "permission_denied", code: "permission_denied" },
  not_found: { type: "invalid_request_error", code: "not_found" },
  model_not_found: { type: "invalid_request_error", code: "model_not_found" },
  method_not_allowed: { type: "invalid_request_error", code: "method_not_supported" },
  conflict: { type: "invalid_request_error", code: "conflict" },
  payload_too_large: { type: "invalid_request_error", code: "payload_too_large" },
  upgrade_refused: { type: "invalid_request_error", code: "upgrade_required" },
  rate_limited: { type: "requests", code: "rate_limit_exceeded" },
  concurrency_exceeded: { type: "requests", code: "rate_limit_exceeded" },
  internal: { type: "server_error", code: "internal_error" },
  upstream_failed: { type: "server_error", code: "server_error" },
  upstream_interrupted: { type: "server_error", code: "server_error" },
  upstream_overloaded: { type: "server_error", code: "server_is_overloaded" },
  upstream_unavailable: { type: "server_error", code: "service_unavailable" },
  no_account_available: { type: "server_error", code: "service_unavailable" },
  upstream_timeout: { type: "server_error", code: "timeout" },
} as const satisfies Record<RelayErrorCode, Kind>;

/** 529 is Anthropic's; OpenAI says 503 when it is overloaded. */
const statusOf = (code: RelayErrorCode): number =>
  code === "upstream_overloaded" ? 503 : ERROR_STATUS[code];

/** The `error` object. `code` says which of the key's limits refused, where one did. */
export const errorOf = ({ code, message, reason }: ErrorFacts) => ({
  message,
  type: KINDS[code].type,
  code: reason ?? KINDS[code].code,
  param: null,
});

export const renderError = (error: ErrorFacts, requestId: string): RenderedError => ({
  status: statusOf(error.code),
  contentType: "application/json",
  body: JSON.stringify({ error: errorOf(error), request_id: requestId }),
});
