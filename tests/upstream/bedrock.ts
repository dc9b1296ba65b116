/** What Bedrock's runtime does before a model is asked: its routes, who may call, and what a body must be like. Pure. */
import { bedrockError, type StatusBehaviour } from "./behaviour.ts";
import { BEDROCK_EXPIRED, bedrockSecret, bedrockSession } from "./bedrock-keys.ts";
import type { Endpoint } from "./control-types.ts";
import { isRecord, parseJson, textOf, type JsonRecord } from "./record.ts";
import { parseAuthorization, signatureOf, type SignedRequest } from "./sigv4.ts";

export type BedrockRoute = {
  readonly endpoint: Endpoint;
  readonly model: string;
  readonly stream: boolean;
};

const ROUTE = /\/model\/([^/]+)\/(invoke|invoke-with-response-stream|count-tokens)$/;

export function bedrockRoute(method: string, path: string): BedrockRoute | null {
  const [, model = "", action] = (method === "POST" ? ROUTE.exec(path) : null) ?? [];
  if (action === undefined) return null;
  return {
    endpoint: action === "count-tokens" ? "count_tokens" : "messages",
    model: decodeURIComponent(model),
    stream: action === "invoke-with-response-stream",
  };
}

/** How far a caller's clock may be from ours. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** null: the signature is right, or there is a bearer token in its place. */
export function signatureRefusal(request: SignedRequest, nowMs: number): StatusBehaviour | null {
  const { headers } = request;
  if (headers["authorization"]?.startsWith("Bearer ") === true) return null;
  const authorization = parseAuthorization(headers["authorization"]);
  if (authorization === null) {
    return bedrockError(403, "MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  const { accessKeyId, service, date, signedHeaders, signature } = authorization;
  const amzDate = headers["x-amz-date"] ?? "";
  const expected = signatureOf(request, authorization, bedrockSecret(accessKeyId));
  const isRight =
    signature === expected &&
    service === "bedrock" &&
    amzDate.startsWith(date) &&
    Math.abs(instantOf(amzDate) - nowMs) < CLOCK_SKEW_MS &&
    ["host", "x-amz-date"].every((name) => signedHeaders.includes(name));
  if (!isRight) {
    return bedrockError(
      403,
      "InvalidSignatureException",
      "The request signature we calculated does not match",
    );
  }
  return sessionRefusal(headers["x-amz-security-token"], authorization);
}

function sessionRefusal(
  token: string | undefined,
  { accessKeyId, signedHeaders }: { accessKeyId: string; signedHeaders: readonly string[] },
): StatusBehaviour | null {
  if (token === BEDROCK_EXPIRED) {
    return bedrockError(
      403,
      "ExpiredTokenException",
      "The security token included in the request is expired",
    );
  }
  const isRight = token === undefined || signedHeaders.includes("x-amz-security-token");
  if (isRight && token === bedrockSession(accessKeyId)) return null;
  const message = "The security token included in the request is invalid.";
  return bedrockError(403, "UnrecognizedClientException", message);
}

/** `20150830T123600Z` */
const instantOf = (text: string): number =>
  Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));

export type BedrockBody =
  | { readonly kind: "taken"; readonly body: JsonRecord }
  | { readonly kind: "refused"; readonly refusal: StatusBehaviour };

/** The body as Anthropic's API has it, or why Bedrock would not take it. */
export function bedrockBody(outer: unknown, route: BedrockRoute): BedrockBody {
  const body = route.endpoint === "count_tokens" ? counted(outer) : outer;
  if (!isRecord(body)) return invalid("Malformed input request");
  for (const name of ["model", "stream"]) {
    if (name in body) return invalid(`${name}: Extra inputs are not permitted`);
  }
  if (body["anthropic_version"] !== "bedrock-2023-05-31") return invalid("anthropic_version: Field required");
  if (typeof body["max_tokens"] !== "number") return invalid("max_tokens: Field required");
  if (/"cache_control":\{[^}]*"scope"/.test(JSON.stringify(body))) {
    return invalid("cache_control.ephemeral.scope: Extra inputs are not permitted");
  }
  if (route.endpoint === "count_tokens" && !route.model.startsWith("anthropic.")) {
    return invalid("The provided model doesn't support counting tokens.");
  }
  return { kind: "taken", body: { ...body, model: route.model, stream: route.stream } };
}

const invalid = (message: string): BedrockBody => ({
  kind: "refused",
  refusal: bedrockError(400, "ValidationException", message),
});

function counted(outer: unknown): unknown {
  const input = isRecord(outer) ? outer["input"] : null;
  const call = isRecord(input) ? input["invokeModel"] : null;
  const encodedBody = isRecord(call) ? textOf(call["body"]) : "";
  return parseJson(Buffer.from(encodedBody, "base64").toString());
}
