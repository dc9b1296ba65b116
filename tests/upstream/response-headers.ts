/** The headers the real upstream puts on its answers, secrets included, so that tests can look for leaks. Pure. */

export type HeaderMap = Record<string, string>;

export const SECRET_ORGANIZATION = "org-secret-7d1f0c2a";
export const SECRET_COOKIE = "__cf_bm=cookie-secret-51b7; path=/; HttpOnly; Secure";

/** On every answer. */
export function commonHeaders(requestId: string): HeaderMap {
  return {
    "request-id": requestId,
    "anthropic-organization-id": SECRET_ORGANIZATION,
    "set-cookie": SECRET_COOKIE,
    "cf-ray": "98secret0000abcd-FRA",
    "cf-cache-status": "DYNAMIC",
    server: "cloudflare",
    "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
    "x-envoy-upstream-service-time": "42",
  };
}

/** Only on answers of a model. */
export function limitHeaders(nowMs: number): HeaderMap {
  const hourS = 3_600;
  const nowS = Math.floor(nowMs / 1_000);
  const prefix = "anthropic-ratelimit-unified";
  return {
    [`${prefix}-status`]: "allowed",
    [`${prefix}-reset`]: String(nowS + 5 * hourS),
    [`${prefix}-representative-claim`]: "five_hour",
    [`${prefix}-5h-status`]: "allowed",
    [`${prefix}-5h-reset`]: String(nowS + 5 * hourS),
    [`${prefix}-5h-utilization`]: "0.25",
    [`${prefix}-7d-status`]: "allowed",
    [`${prefix}-7d-reset`]: String(nowS + 7 * 24 * hourS),
    [`${prefix}-7d-utilization`]: "0.5",
  };
}

/** The behaviour's headers win; null takes one away. */
export function withHeaders(
  usual: HeaderMap,
  changes: Readonly<Record<string, string | null>> | undefined,
): HeaderMap {
  if (changes === undefined) return usual;
  const merged = { ...usual };
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete merged[name.toLowerCase()];
    else merged[name.toLowerCase()] = value;
  }
  return merged;
}
