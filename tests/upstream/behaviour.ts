/** What the fake upstream can be told to do with one request. Pure; imports nothing, so tests inside workerd can use it. */

/** Anthropic's usage object, by its wire names. */
export type Usage = {
  readonly input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_creation: {
    readonly ephemeral_5m_input_tokens: number;
    readonly ephemeral_1h_input_tokens: number;
  };
  readonly cache_read_input_tokens: number;
  readonly output_tokens: number;
  readonly server_tool_use: { readonly web_search_requests: number };
  readonly service_tier: string;
};

/** How an answer looks on the wire. Everything left out is as the real upstream does it. */
export type AnswerShape = {
  /** Fields left out come from `derivedUsage`; see derived-usage.ts. */
  readonly usage?: Partial<Usage>;
  readonly text?: string;
  /** The number of text deltas (default 3). */
  readonly events?: number;
  readonly eventIntervalMs?: number;
  /** Falls silent half way through the answer: before an event, or in the middle of it. */
  readonly silence?: { readonly ms: number; readonly place: "between" | "inside" };
  readonly headersDelayMs?: number;
  /** Between the headers and the first byte of the body. */
  readonly firstEventDelayMs?: number;
  /** Between the last event and the end of the body. */
  readonly endDelayMs?: number;
  /** Slices the body into writes of this many bytes, each its own TCP segment as far as the kernel allows. */
  readonly chunkBytes?: number;
  readonly lineEnd?: "\n" | "\r\n" | "\r";
  readonly bom?: boolean;
  /** Puts SSE comments between events and inside them. */
  readonly comments?: boolean;
  /** Added to the usual response headers; null takes a usual one away. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** Puts `"t":<epoch ms with decimals>` in the text of each delta at the moment it is sent. */
  readonly sendTimes?: boolean;
  /** The model the answer claims; otherwise the one requested. */
  readonly model?: string;
  /** The answer's own id; otherwise a new one for each, so that with it two answers are the same bytes. */
  readonly id?: string;
  /** `data:{…}` instead of `data: {…}`. */
  readonly spacelessData?: boolean;
  /** Compresses whatever accept-encoding says; each event is flushed. */
  readonly gzip?: boolean;
  /** message_start reports zeros and message_delta everything, as third-party endpoints do. */
  readonly usageInDeltaOnly?: boolean;
  readonly omitUsage?: boolean;
  /** A ping between message_start and the first block. */
  readonly earlyPing?: boolean;
  /** Makes the first text delta at least this long. */
  readonly largeEventBytes?: number;
};

export type Behaviour =
  | ({ readonly kind: "answer" } & AnswerShape)
  /** `reset` destroys the socket, `cleanEnd` ends the body without message_stop; `midEvent` stops inside the next event. */
  | {
      readonly kind: "cut";
      readonly afterEvents: number;
      readonly mode: "reset" | "cleanEnd";
      readonly midEvent?: boolean;
      readonly answer?: AnswerShape;
    }
  | {
      readonly kind: "status";
      readonly status: number;
      /** A string is sent as it is, anything else as JSON. Anthropic error bodies get a request_id. */
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      readonly contentType?: string;
      readonly delayMs?: number;
    }
  | {
      readonly kind: "hang";
      readonly phase: "beforeHeaders" | "afterHeaders" | "midStream";
      readonly afterEvents?: number;
      readonly answer?: AnswerShape;
    }
  /** An `event: error` inside a 200; a request without stream gets the same error with its status. */
  | {
      readonly kind: "errorEvent";
      readonly afterEvents: number;
      readonly errorType: string;
      readonly message: string;
      readonly answer?: AnswerShape;
    }
  | { readonly kind: "malformed"; readonly what: Malformation }
  /** Text deltas for ever, until the client leaves. */
  | { readonly kind: "endless"; readonly intervalMs: number }
  /** A TCP reset before any header. */
  | { readonly kind: "reset" }
  /** Sends the first events and stops; the rest follows when the gate is released, or an error event in its place. */
  | {
      readonly kind: "gateInside";
      readonly afterEvents: number;
      readonly gate: string;
      readonly error?: { readonly type: string; readonly message: string };
      readonly answer?: AnswerShape;
    }
  /** Waits until `POST /__control/release` names the gate, then does `then`. */
  | { readonly kind: "gate"; readonly gate: string; readonly then: Behaviour }
  /** The first entry whose `model` is part of the requested model's name applies, else `otherwise`, else an answer. */
  | {
      readonly kind: "perModel";
      readonly models: readonly { readonly model: string; readonly then: Behaviour }[];
      readonly otherwise?: Behaviour;
    }
  /** Does `then` with a conversation that holds thinking, else `otherwise`, else an answer. */
  | { readonly kind: "ifThinking"; readonly then: Behaviour; readonly otherwise?: Behaviour };

export type Malformation =
  "json" | "sse" | "html" | "wrongContentType" | "wrongLength" | "truncatedGzip" | "brokenUsage" | "checksum";

export type StatusBehaviour = Extract<Behaviour, { kind: "status" }>;

/** Finds the send time in the raw bytes of a delta or in its decoded text. */
export const SEND_TIME_PATTERN = /\\?"t\\?":(\d+\.\d+)/;

/** Requests with this credential prefix are always refused with 401. */
export const REFUSED_PREFIX = "refused";

export function answer(shape: AnswerShape = {}): Behaviour {
  return { kind: "answer", ...shape };
}

/** Anthropic's error body; the server adds `request_id` when it sends it. */
export function errorBody(type: string, message: string) {
  return { type: "error", error: { type, message } } as const;
}

/**
 * A 429. `resetAt` is in epoch seconds, `claim` e.g. `five_hour`, `seven_day` or `seven_day_opus`.
 * Without either it has no `anthropic-ratelimit-*` header at all, as for an API key.
 */
export function rateLimited(
  limit: { readonly resetAt?: number; readonly retryAfterS?: number; readonly claim?: string } = {},
): StatusBehaviour {
  const message = "This request would exceed your account's rate limit. Please try again later.";
  return errorStatus(429, "rate_limit_error", message, rateLimitHeaders(limit));
}

export function overloaded(): StatusBehaviour {
  return errorStatus(529, "overloaded_error", "Overloaded");
}

export function unauthorized(message = "Invalid authentication credentials"): StatusBehaviour {
  return errorStatus(401, "authentication_error", message);
}

export function forbidden(message: string): StatusBehaviour {
  return errorStatus(403, "permission_error", message);
}

export function organizationDisabled(): StatusBehaviour {
  return errorStatus(400, "invalid_request_error", "This organization has been disabled.");
}

export function invalidRequest(message: string): StatusBehaviour {
  return errorStatus(400, "invalid_request_error", message);
}

/** What the real upstream says of a thinking block that another account signed. */
export function foreignThinking(): StatusBehaviour {
  return invalidRequest("messages.1.content.0: Invalid `signature` in `thinking` block");
}

/** An answer that tells the limits of its account; the windows that are left out are as usual. */
export function withWindows(
  windows: Readonly<Record<string, WindowShape>>,
  shape: AnswerShape = {},
): Behaviour {
  const headers: Record<string, string> = {};
  for (const [id, { status, resetAt, utilization }] of Object.entries(windows)) {
    const prefix = `anthropic-ratelimit-unified-${id}`;
    headers[`${prefix}-status`] = status;
    headers[`${prefix}-reset`] = String(resetAt);
    if (utilization !== undefined) headers[`${prefix}-utilization`] = String(utilization);
  }
  return answer({ ...shape, headers: { ...headers, ...shape.headers } });
}

/** `resetAt` is in epoch seconds. */
export type WindowShape = {
  readonly status: "allowed" | "allowed_warning" | "rejected";
  readonly resetAt: number;
  readonly utilization?: number;
};

export function serverError(status = 500): StatusBehaviour {
  return errorStatus(status, status === 504 ? "timeout_error" : "api_error", "Internal server error");
}

/** An error as Bedrock's runtime answers it. */
export function bedrockError(status: number, name: string, message: string): StatusBehaviour {
  return { kind: "status", status, body: { message }, headers: { "x-amzn-errortype": name } };
}

/** The page a proxy in front of the upstream shows. */
export function gatewayPage(status = 502): StatusBehaviour {
  const body = `<html><head><title>${status}</title></head><body><center><h1>${status}</h1></center></body></html>`;
  return { kind: "status", status, body, contentType: "text/html" };
}

/** An answer with an error in OpenAI's shape, whose `error` may say more. */
export function openAiError(
  status: number,
  error: { readonly code: string; readonly message?: string } & Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): StatusBehaviour {
  const body = { error: { message: "made to fail", type: "invalid_request_error", param: null, ...error } };
  return { kind: "status", status, body, headers };
}

function errorStatus(
  status: number,
  type: string,
  message: string,
  headers: Record<string, string> = {},
): StatusBehaviour {
  return { kind: "status", status, body: errorBody(type, message), headers };
}

function rateLimitHeaders(limit: { resetAt?: number; retryAfterS?: number; claim?: string }) {
  const headers: Record<string, string> = {};
  if (limit.retryAfterS !== undefined) headers["retry-after"] = String(limit.retryAfterS);
  if (limit.resetAt === undefined && limit.claim === undefined) return headers;
  const prefix = "anthropic-ratelimit-unified";
  headers[`${prefix}-status`] = "rejected";
  if (limit.resetAt !== undefined) headers[`${prefix}-reset`] = String(limit.resetAt);
  if (limit.claim === undefined) return headers;
  headers[`${prefix}-representative-claim`] = limit.claim;
  const window = limit.claim === "five_hour" ? "5h" : limit.claim === "seven_day" ? "7d" : null;
  if (window === null) return headers;
  headers[`${prefix}-${window}-status`] = "rejected";
  if (limit.resetAt !== undefined) headers[`${prefix}-${window}-reset`] = String(limit.resetAt);
  return headers;
}
