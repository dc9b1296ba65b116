/** The errors of Bedrock's runtime by name (API reference, InvokeModel and "Common errors"), in Anthropic's terms. Pure. */
import { z } from "zod";

export interface Meaning {
  /** The status that Anthropic's API would answer. */
  readonly status: number;
  /** The type of Anthropic's error. */
  readonly type: string;
}

const LIMITED: Meaning = { status: 429, type: "rate_limit_error" };
const REFUSED: Meaning = { status: 401, type: "authentication_error" };
const FORBIDDEN: Meaning = { status: 403, type: "permission_error" };
const INVALID: Meaning = { status: 400, type: "invalid_request_error" };
const MISSING: Meaning = { status: 404, type: "not_found_error" };
const UNAVAILABLE: Meaning = { status: 503, type: "overloaded_error" };
const FAILED: Meaning = { status: 500, type: "api_error" };
const LATE: Meaning = { status: 408, type: "timeout_error" };

/** In lower case and without `Exception`: headers say `ThrottlingException`, frames say `throttlingException`. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  ["throttling", LIMITED],
  ["toomanyrequests", LIMITED],
  ["servicequotaexceeded", LIMITED],
  ["expiredtoken", REFUSED],
  ["unrecognizedclient", REFUSED],
  ["invalidclienttokenid", REFUSED],
  ["invalidsignature", REFUSED],
  ["signaturedoesnotmatch", REFUSED],
  ["incompletesignature", REFUSED],
  ["missingauthenticationtoken", REFUSED],
  ["accessdenied", FORBIDDEN],
  ["optinrequired", FORBIDDEN],
  ["validation", INVALID],
  ["resourcenotfound", MISSING],
  ["modelnotready", UNAVAILABLE],
  ["serviceunavailable", UNAVAILABLE],
  ["internalserver", FAILED],
  ["internalfailure", FAILED],
  ["modelerror", FAILED],
  ["modelstreamerror", FAILED],
  ["modeltimeout", LATE],
]);

const BY_STATUS: ReadonlyMap<number, Meaning> = new Map([
  [400, INVALID],
  [401, REFUSED],
  [403, FORBIDDEN],
  [404, MISSING],
  [408, LATE],
  [413, { status: 413, type: "request_too_large" }],
  // The model itself failed (ModelErrorException).
  [424, FAILED],
  [429, LIMITED],
  [503, UNAVAILABLE],
]);

/** `ThrottlingException:http://internal.amazon.com/…` in headers, `com.amazon.coral#ThrottlingException` in bodies. */
export function meaningOf(name: string): Meaning | null {
  const local = name.replace(/^.*#/, "").replace(/:.*$/, "");
  return MEANINGS.get(local.toLowerCase().replace(/exception$/, "")) ?? null;
}

export const meaningOfStatus = (status: number): Meaning =>
  BY_STATUS.get(status) ?? { status, type: status >= 500 ? "api_error" : "invalid_request_error" };

export const MESSAGE_LENGTH_MAX = 300;

const errorBody = z
  .object({ __type: z.string(), message: z.string(), Message: z.string() })
  .partial()
  .catch({});

export interface ErrorText {
  /** The exception's name; null: the body does not say. */
  readonly name: string | null;
  readonly message: string;
}

/** What an error's body or an exception's payload says; a page of a proxy says it as it is. */
export function readErrorBody(text: string): ErrorText {
  const body = errorBody.parse(jsonOrNull(text));
  const message = body.message ?? body.Message ?? (text.startsWith("{") ? "" : text);
  return { name: body.__type ?? null, message: message.slice(0, MESSAGE_LENGTH_MAX) };
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
