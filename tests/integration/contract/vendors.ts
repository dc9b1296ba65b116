/** How each vendor's upstream says no, for the fake to say it. */
import {
  bedrockError,
  forbidden,
  invalidRequest,
  openAiError,
  overloaded,
  rateLimited,
  serverError,
  unauthorized,
  type Behaviour,
} from "../../upstream/behaviour.ts";
import { googleStatus, modelOverloaded, quotaExceeded } from "../../upstream/google/behaviours.ts";

export interface Vendor {
  /** The request is wrong: 400. */
  invalid(message: string): Behaviour;
  /** The credential is wrong. */
  unauthorized(): Behaviour;
  /** The account may not do this. */
  forbidden(message: string): Behaviour;
  /** A limit of the whole account is reached, for so many seconds. */
  limited(seconds: number): Behaviour;
  failed(): Behaviour;
  unavailable(): Behaviour;
  overloaded(): Behaviour;
}

export const ANTHROPIC: Vendor = {
  invalid: invalidRequest,
  unauthorized,
  forbidden,
  limited: (seconds) => rateLimited({ resetAt: Math.floor(Date.now() / 1000) + seconds, claim: "five_hour" }),
  failed: () => serverError(500),
  unavailable: () => serverError(503),
  overloaded,
};

export const BEDROCK: Vendor = {
  invalid: (message) => bedrockError(400, "ValidationException", message),
  unauthorized: () => bedrockError(403, "UnrecognizedClientException", "The security token is invalid."),
  forbidden: (message) => bedrockError(403, "AccessDeniedException", message),
  limited(seconds) {
    const error = bedrockError(429, "ThrottlingException", "Too many requests");
    return { ...error, headers: { ...error.headers, "retry-after": String(seconds) } };
  },
  failed: () => bedrockError(500, "InternalServerException", "Internal server error"),
  unavailable: () => bedrockError(503, "ServiceUnavailableException", "Unavailable"),
  overloaded: () => bedrockError(529, "ModelNotReadyException", "Not ready"),
};

export const OPENAI: Vendor = {
  invalid: (message) => openAiError(400, { code: "unsupported", message }),
  unauthorized: () => openAiError(401, { code: "invalid_api_key" }),
  forbidden: (message) => openAiError(403, { code: "forbidden", message }),
  limited: (seconds) => openAiError(429, { code: "rate_limit_exceeded" }, { "retry-after": String(seconds) }),
  failed: () => openAiError(500, { code: "server_error" }),
  unavailable: () => openAiError(503, { code: "unavailable" }),
  overloaded: () => openAiError(503, { code: "server_is_overloaded" }),
};

export const GOOGLE: Vendor = {
  invalid: (message) => googleStatus(400, "INVALID_ARGUMENT", message),
  unauthorized: () => googleStatus(401, "UNAUTHENTICATED", "Invalid credentials"),
  forbidden: (message) => googleStatus(403, "PERMISSION_DENIED", message),
  limited: (seconds) => quotaExceeded("GenerateRequestsPerMinutePerProject", `${String(seconds)}s`),
  failed: () => googleStatus(500, "INTERNAL", "An internal error has occurred."),
  unavailable: () => googleStatus(503, "UNAVAILABLE", "The service is unavailable."),
  overloaded: modelOverloaded,
};
