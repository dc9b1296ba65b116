/** What went wrong in a call of the admin API, and what the reader can do about it. Pure. */

/** The part of a form that was refused, and why. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

export interface ApiFailure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly problems: readonly FieldProblem[];
}

export type ApiResult<T> =
  { readonly kind: "ok"; readonly value: T } | { readonly kind: "failed"; readonly failure: ApiFailure };

const HINTS: Readonly<Record<string, string>> = {
  unreachable: "Check that the relay's worker is running and bound to this admin as RELAY, then try again.",
  unauthenticated: "Sign in again.",
  invalid_request: "Correct it and send the form again.",
  permission_denied: "This user may not do that; sign in as another admin.",
  not_found: "It may have been deleted meanwhile; go back to the list.",
  conflict: "Someone changed the same thing at the same time; reload the page and try again.",
  rate_limited: "Wait a minute, then try again.",
  upstream_failed: "The provider refused. Check the account's credential and base URL.",
  upstream_timeout: "The provider did not answer in time. Try again in a minute.",
  upstream_unavailable: "The provider is not serving at the moment. Try again in a few minutes.",
  internal: "Try again; if it happens again, look at the worker's log.",
};

/** What the reader can do about a failure; null when the message says it all. */
export const hintFor = (code: string): string | null => HINTS[code] ?? null;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Field problems are listed as `{path, message}`, with a path like `["credential", "apiKey"]` or a dotted text. */
function parseProblems(details: unknown): FieldProblem[] {
  const issues = isRecord(details) && !Array.isArray(details) ? details["issues"] : details;
  if (!Array.isArray(issues)) return [];
  return issues.flatMap((issue: unknown) => {
    if (!isRecord(issue) || typeof issue["message"] !== "string") return [];
    const path = issue["path"];
    const field = Array.isArray(path) ? path.join(".") : typeof path === "string" ? path : "";
    return [{ field, message: issue["message"] }];
  });
}

/** Reads the admin API's error envelope; an answer without one is the worker's fault and is said to be so. */
export function parseFailure(status: number, text: string): ApiFailure {
  const body = parseJson(text);
  const error = isRecord(body) ? body["error"] : null;
  if (!isRecord(error) || typeof error["code"] !== "string" || typeof error["message"] !== "string") {
    return { status, code: "internal", message: `The relay answered with status ${status}.`, problems: [] };
  }
  return {
    status,
    code: error["code"],
    message: error["message"],
    problems: parseProblems(error["details"]),
  };
}

/** No answer at all. */
export function unreachable(cause: unknown): ApiResult<never> {
  const timedOut = cause instanceof Error && cause.name === "TimeoutError";
  const message = timedOut ? "The relay did not answer in time." : "The relay cannot be reached.";
  return { kind: "failed", failure: { status: 502, code: "unreachable", message, problems: [] } };
}
