/** One attempt: the provider's request is fetched, and its answer judged before the client sees any of it. */
import type { ErrorFacts } from "../domain/errors.ts";
import type { Lease } from "../domain/lease.ts";
import { unauthorized, type Verdict } from "../domain/verdict.ts";
import { networkOf } from "../env.ts";
import { dialFor } from "../net/dialer.ts";
import { assertAllowedTarget } from "../net/guard.ts";
import { ProxyError } from "../net/proxy-error.ts";
import type { Provider, UpstreamCall } from "../providers/provider.ts";
import type { Ports } from "./ports.ts";
import type { Call } from "./read-call.ts";
import { readAtMost, within } from "./reading.ts";
import { maskSecrets } from "../domain/secrets.ts";

/** Of an error body as much is read as could matter. */
const ERROR_BODY_BYTES_MAX = 64 * 1024;
const ERROR_BODY_TIMEOUT_MS = 5000;

export interface Answer {
  readonly response: Response;
  /** Its body comes out of a script, and not straight from the platform's network. */
  readonly scripted: boolean;
  /** Stops the upstream. */
  readonly abort: () => void;
}

export type Attempt =
  | { readonly kind: "answered"; readonly answer: Answer }
  /** The client's fault, in the upstream's own words. */
  | {
      readonly kind: "rejected";
      readonly status: number;
      readonly headers: Headers;
      readonly bodyText: string;
      /** Parts that only another account can read were refused. */
      readonly bound: boolean;
    }
  | {
      readonly kind: "judged";
      readonly verdict: Exclude<Verdict, { kind: "deliver" | "reject" }>;
      /** Of the upstream's answer, if there was one. */
      readonly headers: Headers | null;
      readonly status: number | null;
      /** The part of the credential that was refused; null: it is one. */
      readonly credentialPart: string | null;
    };

const failure = (
  reason: "network" | "proxy" | "timeout" | "server_error",
  error: ErrorFacts,
  message: string,
): Attempt => ({
  kind: "judged",
  verdict: { kind: "failover", scope: "account", reason, until: null, message, error, switches: 2 },
  headers: null,
  status: null,
  credentialPart: null,
});

/** The headers of whatever the upstream answered; null: it did not. */
export const headersOf = (attempt: Attempt): Headers | null =>
  attempt.kind === "answered" ? attempt.answer.response.headers : attempt.headers;

const LATE: ErrorFacts = {
  code: "upstream_timeout",
  message: "The upstream did not answer in time.",
  retryAfterMs: null,
};
const UNREACHABLE: ErrorFacts = {
  code: "upstream_failed",
  message: "The upstream could not be reached.",
  retryAfterMs: null,
};

/** Which proxy that is and what it said is the admin's to know. */
const NO_WAY: ErrorFacts = {
  code: "upstream_failed",
  message: "The upstream could not be reached through the account's proxy.",
  retryAfterMs: null,
};

/** @throws the fetch's error when the client left */
export async function dispatch(call: Call, lease: Lease, provider: Provider, ports: Ports): Promise<Attempt> {
  const { env, watch } = ports;
  const upstreamCall: UpstreamCall = {
    ...call,
    protocol: call.protocol.id,
    model: call.parsed.model,
    stream: call.parsed.stream,
  };
  const created = provider.createRequest(upstreamCall, lease.credential, lease.baseUrl, ports.now());
  // A promise costs a turn of the event loop, and only signing needs one.
  const request = created instanceof Promise ? await created : created;
  assertAllowedTarget(request.url, env.ALLOW_PRIVATE_UPSTREAMS);
  watch.throwIfGone();
  const controller = new AbortController();
  const abort = () => {
    controller.abort();
  };
  const { credentialPart = null } = request;
  let isLate = false;
  const limits = {
    limitMs: call.parsed.stream ? env.HEADERS_TIMEOUT_MS : env.ANSWER_TIMEOUT_MS,
    onLate: () => {
      isLate = true;
      abort();
    },
    onGone: abort,
  };
  const init = {
    method: "POST",
    headers: request.headers,
    body: request.body,
    // A redirect would carry the credential to another address.
    redirect: "manual",
    signal: controller.signal,
  } as const;
  const dial = dialFor(lease.proxy, networkOf(env));
  try {
    return await watch.during(limits, async () =>
      judge(await dial(request.url, init), {
        call,
        upstreamCall,
        credentialPart,
        lease,
        provider,
        ports,
        abort,
      }),
    );
  } catch (error) {
    if (watch.isClientGone) throw error;
    if (isLate) return failure("timeout", LATE, "No answer in time.");
    if (error instanceof ProxyError) return failure("proxy", NO_WAY, error.message);
    const message = maskSecrets(error instanceof Error ? error.message : "", lease.credential);
    return failure("network", UNREACHABLE, message);
  }
}

interface Context {
  readonly call: Call;
  readonly upstreamCall: UpstreamCall;
  readonly credentialPart: string | null;
  readonly lease: Lease;
  readonly provider: Provider;
  readonly ports: Ports;
  readonly abort: () => void;
}

async function judge(raw: Response, context: Context): Promise<Attempt> {
  const { call, upstreamCall, credentialPart, lease, provider, ports, abort } = context;
  const response = raw.ok ? (provider.decodeAnswer?.(raw, upstreamCall) ?? raw) : raw;
  const facts = { status: response.status, headers: response.headers, model: call.parsed.model };
  const asked = { protocol: call.protocol.id, credentialPart };
  const early = response.ok ? provider.judge({ ...facts, bodyText: "" }, ports.now(), asked) : null;
  if (early?.kind === "deliver")
    return isReadable(response)
      ? { kind: "answered", answer: { response, scripted: response !== raw || lease.proxy !== null, abort } }
      : unreadable(abort);
  const bodyText = maskSecrets(await errorText(response, abort), lease.credential);
  const verdict = provider.judge({ ...facts, bodyText }, ports.now(), asked);
  switch (verdict.kind) {
    case "deliver":
      return unreadable(abort);
    case "reject":
      return {
        kind: "rejected",
        status: response.status,
        headers: response.headers,
        bodyText: provider.decodeRefusal?.({ ...facts, bodyText }) ?? bodyText,
        bound: verdict.bound,
      };
    case "refresh":
    case "failover":
    case "disable":
      return { kind: "judged", verdict, headers: response.headers, status: response.status, credentialPart };
  }
}

/** An answer of the API is JSON or an event stream; a proxy's HTML page with status 200 is neither. */
const isReadable = (response: Response) =>
  /json|event-stream/.test(response.headers.get("content-type") ?? "");

function unreadable(abort: () => void): Attempt {
  abort();
  const facts: ErrorFacts = {
    code: "upstream_failed",
    message: "The upstream's answer was not an API answer.",
    retryAfterMs: null,
  };
  return failure("server_error", facts, "The answer was neither JSON nor an event stream.");
}

async function errorText(response: Response, abort: () => void): Promise<string> {
  const body: ReadableStream<Uint8Array> | null = response.body;
  if (body === null) return "";
  const bytes = await within(readAtMost(body, ERROR_BODY_BYTES_MAX), ERROR_BODY_TIMEOUT_MS);
  if (bytes === null) abort();
  return new TextDecoder().decode(bytes ?? new Uint8Array(0));
}

/** What a refused credential comes to when there is none better. */
export const refusedCredential = (message: string, status: number | null): Attempt => ({
  kind: "judged",
  verdict: unauthorized(message),
  headers: null,
  status,
  credentialPart: null,
});
