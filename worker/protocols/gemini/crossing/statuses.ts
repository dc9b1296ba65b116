/** Google's canonical names of errors (google.rpc.Code), their codes, and what other vendors call them. Pure. */

/** The canonical names of codes that upstreams send alone. */
export const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

const INTERNAL = 500;

/** Error types as other dialects name them inside a stream. */
const CODES: ReadonlyMap<string, number> = new Map([
  ...Object.entries(STATUS_NAMES).map(([code, name]) => [name, Number(code)] as const),
  ["invalid_request_error", 400],
  ["request_too_large", 400],
  ["authentication_error", 401],
  ["permission_error", 403],
  ["not_found_error", 404],
  ["rate_limit_error", 429],
  ["rate_limit_exceeded", 429],
  ["insufficient_quota", 429],
  ["overloaded_error", 503],
  ["timeout_error", 504],
]);

/** What a Gemini client is told of an error of that type, whoever named it. */
export function statusOfType(type: string): { readonly code: number; readonly status: string } {
  const code = CODES.get(type) ?? INTERNAL;
  return { code, status: STATUS_NAMES[code] ?? "INTERNAL" };
}
