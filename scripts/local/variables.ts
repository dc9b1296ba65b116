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
  "BODY_BYTES_MAX",
  "HEADERS_TIMEOUT_MS",
  "ANSWER_TIMEOUT_MS",
  "IDLE_TIMEOUT_MS",
  "HEARTBEAT_MS",
  "QUEUE_TIMEOUT_MS",
  "RESERVED_OUTPUT_TOKENS_MAX",
  "SESSION_PATIENCE_MS",
  "HOLD_BACK_MS",
  "ROUTING_DAYS",
  "RECORD_MONTHS",
  "SESSION_TTL_MS",
  "LOG_REQUESTS",
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
