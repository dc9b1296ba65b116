/** How errors look in Google's dialect (cloud.google.com/apis/design/errors). Pure. */
import { ERROR_STATUS, type ErrorFacts, type RelayErrorCode } from "../../domain/errors.ts";
import type { ElementFrame, RenderedError } from "../protocol.ts";

const STATUS_NAME = {
  invalid_request: "INVALID_ARGUMENT",
  unauthenticated: "UNAUTHENTICATED",
  // Google says so of a project without billing, and its clients do not wait for it to pass.
  budget_exhausted: "FAILED_PRECONDITION",
  permission_denied: "PERMISSION_DENIED",
  not_found: "NOT_FOUND",
  model_not_found: "NOT_FOUND",
  method_not_allowed: "INVALID_ARGUMENT",
  conflict: "ABORTED",
  payload_too_large: "INVALID_ARGUMENT",
  upgrade_refused: "FAILED_PRECONDITION",
  rate_limited: "RESOURCE_EXHAUSTED",
  concurrency_exceeded: "RESOURCE_EXHAUSTED",
  internal: "INTERNAL",
  upstream_failed: "INTERNAL",
  upstream_interrupted: "INTERNAL",
  upstream_overloaded: "UNAVAILABLE",
  upstream_unavailable: "UNAVAILABLE",
  no_account_available: "UNAVAILABLE",
  upstream_timeout: "DEADLINE_EXCEEDED",
} as const satisfies Record<RelayErrorCode, string>;

// Anthropic's 529 is unknown here: an overload is told with 503.
const statusOf = (code: RelayErrorCode): number =>
  code === "upstream_overloaded" ? 503 : ERROR_STATUS[code];

const TYPE = "type.googleapis.com/google.rpc.";

function detailsOf({ reason, retryAfterMs }: ErrorFacts, requestId: string): readonly object[] {
  const details: object[] = [{ "@type": `${TYPE}RequestInfo`, requestId }];
  if (reason !== undefined) details.push({ "@type": `${TYPE}ErrorInfo`, reason, domain: "edge-relay" });
  if (retryAfterMs !== null) {
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
    details.push({ "@type": `${TYPE}RetryInfo`, retryDelay: `${String(seconds)}s` });
  }
  return details;
}

const bodyOf = (error: ErrorFacts, requestId: string): string =>
  JSON.stringify({
    error: {
      code: statusOf(error.code),
      message: error.message,
      status: STATUS_NAME[error.code],
      details: detailsOf(error, requestId),
    },
  });

export const renderError = (error: ErrorFacts, requestId: string): RenderedError => ({
  status: statusOf(error.code),
  contentType: "application/json; charset=UTF-8",
  body: bodyOf(error, requestId),
});

/** @param frame of an answer that is a JSON array; null: it is closed, and nothing can be said any more */
export function renderErrorEvent(
  error: ErrorFacts,
  requestId: string,
  atBoundary: boolean,
  frame?: ElementFrame | null,
): Uint8Array {
  const body = bodyOf(error, requestId);
  const encoder = new TextEncoder();
  if (frame === null) return encoder.encode("");
  if (frame !== undefined) return encoder.encode(`${frame.before}${body}${frame.after}`);
  return encoder.encode(`${atBoundary ? "" : "\n\n"}data: ${body}\n\n`);
}
