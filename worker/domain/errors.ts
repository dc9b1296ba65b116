/** The closed set of operating errors and what each means on the wire. Pure. */

export type RelayErrorCode =
  | "invalid_request"
  | "unauthenticated"
  | "budget_exhausted"
  | "permission_denied"
  | "not_found"
  | "model_not_found"
  | "method_not_allowed"
  | "conflict"
  | "payload_too_large"
  | "upgrade_refused"
  | "rate_limited"
  | "concurrency_exceeded"
  | "internal"
  | "upstream_failed"
  | "upstream_interrupted"
  | "upstream_overloaded"
  | "upstream_unavailable"
  | "no_account_available"
  | "upstream_timeout";

/** The HTTP status of each code; a protocol may override one where its vendor uses another. */
export const ERROR_STATUS = {
  invalid_request: 400,
  unauthenticated: 401,
  budget_exhausted: 402,
  permission_denied: 403,
  not_found: 404,
  model_not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  payload_too_large: 413,
  upgrade_refused: 426,
  rate_limited: 429,
  concurrency_exceeded: 429,
  internal: 500,
  upstream_failed: 502,
  upstream_interrupted: 502,
  upstream_overloaded: 529,
  upstream_unavailable: 503,
  no_account_available: 503,
  upstream_timeout: 504,
} as const satisfies Record<RelayErrorCode, number>;

/** An error as plain data: what crosses an RPC boundary, where a thrown Error would lose its fields. */
export interface ErrorFacts {
  readonly code: RelayErrorCode;
  readonly message: string;
  /** How long the client should wait before it tries again, in ms; null when waiting does not help. */
  readonly retryAfterMs: number | null;
  /** Which limit or rule refused, for programs to read; absent where the code says all. */
  readonly reason?: string;
}

/** An operating error: thrown by rooms, rendered once at the edge in the client's protocol. */
export class RelayError extends Error {
  readonly code: RelayErrorCode;
  readonly retryAfterMs: number | null;
  readonly reason?: string;

  constructor(
    code: RelayErrorCode,
    message: string,
    options: { retryAfterMs?: number | null; reason?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "RelayError";
    this.code = code;
    this.retryAfterMs = options.retryAfterMs ?? null;
    if (options.reason !== undefined) this.reason = options.reason;
  }

  static of(facts: ErrorFacts): RelayError {
    return new RelayError(facts.code, facts.message, {
      retryAfterMs: facts.retryAfterMs,
      reason: facts.reason,
    });
  }
}

/** Throws when the program itself is wrong; the client sees `internal` and a request id only. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant: ${message}`);
}
