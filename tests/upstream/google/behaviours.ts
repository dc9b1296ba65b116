/** Google's errors for the fake to give. Pure; imports nothing but its type, so tests inside workerd can use it. */
import type { StatusBehaviour } from "../behaviour.ts";

export const googleErrorBody = (code: number, status: string, message: string, details: unknown[] = []) => ({
  error: { code, message, status, ...(details.length === 0 ? {} : { details }) },
});

export function googleStatus(
  code: number,
  status: string,
  message: string,
  details: unknown[] = [],
): StatusBehaviour {
  return { kind: "status", status: code, body: googleErrorBody(code, status, message, details) };
}

const TYPE = "type.googleapis.com/google.rpc.";

/** A 429 with what Google says of the quota. */
export function quotaExceeded(quotaId: string, retryDelay: string): StatusBehaviour {
  const violations = [{ quotaMetric: "generate_content_requests", quotaId }];
  return googleStatus(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", [
    { "@type": `${TYPE}QuotaFailure`, violations },
    { "@type": `${TYPE}RetryInfo`, retryDelay },
  ]);
}

export function invalidKey(): StatusBehaviour {
  const details = [{ "@type": `${TYPE}ErrorInfo`, reason: "API_KEY_INVALID", domain: "googleapis.com" }];
  return googleStatus(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", details);
}

export const modelOverloaded = (): StatusBehaviour =>
  googleStatus(503, "UNAVAILABLE", "The model is overloaded. Please try again later.");
