/** Which variables of the operator's environment reach the Worker; secrets come from `.dev.vars` only. */

/** The optional variables of worker/env.ts, and the administrator's presets. */
export const PASSED_VARIABLES = [
  "ADMIN_USERNAME",
  "ADMIN_PASSWORD",
  "GEMINI_OAUTH_CLIENT_SECRET",
  "EGRESS_URL",
  "EGRESS_TOKEN",
  "METRICS_TOKEN",
  "TIMEZONE",
  "ALLOW_PRIVATE_UPSTREAMS",
  "REGISTRATION",
  "REGISTRATION_CODE",
  "ADMIN_ORIGINS",
  "BODY_BYTES_MAX",
  "HEADERS_TIMEOUT_MS",
  "ANSWER_TIMEOUT_MS",
  "IDLE_TIMEOUT_MS",
  "HEARTBEAT_MS",
  "QUEUE_TIMEOUT_MS",
  "RESERVED_OUTPUT_TOKENS_MAX",
  "SESSION_PATIENCE_MS",
  "HOLD_BACK_MS",
  "PUBLIC_PAGE",
  "ROUTING_DAYS",
  "RECORD_MONTHS",
  "SESSION_TTL_MS",
  "LOG_REQUESTS",
  "LDAP_URL",
  "LDAP_BIND_DN",
  "LDAP_BIND_PASSWORD",
  "LDAP_SEARCH_BASE",
  "LDAP_SEARCH_FILTER",
  "LDAP_USERNAME_ATTRIBUTE",
  "LDAP_NAME_ATTRIBUTE",
  "LDAP_EMAIL_ATTRIBUTE",
  "LDAP_GROUP_ATTRIBUTE",
  "LDAP_GROUP_SEARCH_BASE",
  "LDAP_GROUP_SEARCH_FILTER",
  "LDAP_GROUP_ROLES",
  "LDAP_DEFAULT_ROLE",
  "LDAP_TIMEOUT_MS",
  "OIDC_ISSUER",
  "OIDC_CLIENT_ID",
  "OIDC_CLIENT_SECRET",
  "OIDC_SCOPES",
  "OIDC_LABEL",
  "OIDC_ROLE_CLAIM",
  "OIDC_ROLES",
  "OIDC_DEFAULT_ROLE",
  "OIDC_USERNAME_CLAIM",
  "PRICES_URL",
] as const;

type Variables = Readonly<Record<string, string | undefined>>;

/** Those that are set; one that is set to nothing counts as absent. */
export function passedVariables(environment: Variables): Record<string, string> {
  const present: Record<string, string> = {};
  for (const name of PASSED_VARIABLES) {
    const value = environment[name];
    if (value !== undefined && value !== "") present[name] = value;
  }
  return present;
}

/** The port that a variable names, or the fallback. */
export function portFrom(environment: Variables, name: string, fallback: number): number {
  const text = environment[name];
  if (text === undefined || text === "") return fallback;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`${name} must be a port, not "${text}"`);
  return port;
}
