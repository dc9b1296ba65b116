/**
 * Trying an account out before somebody's eyes: the request, the answer's status, its text as it comes, its usage,
 * and how it ended. Nothing in it is a secret: what upstreams say is masked.
 */
import { NO_NEWS } from "../../durable-objects/account/contract.ts";
import { z } from "zod";
import type { AccountConfig } from "../domain/account.ts";
import { newRequestId, type RequestId } from "../domain/ids.ts";
import type { LeaseDecision } from "../domain/lease.ts";
import { quoted } from "../domain/notice.ts";
import { maskSecrets } from "../domain/secrets.ts";
import { networkOf, type Env } from "../env.ts";
import { dialFor } from "../net/dialer.ts";
import { assertAllowedTarget } from "../net/guard.ts";
import { ProxyError } from "../net/proxy-error.ts";
import { textAtMost } from "../net/text-at-most.ts";
import { CROSSINGS } from "../protocols/crossings.ts";
import { BARE_REQUEST, type AnswerEvent, type NeutralRequest } from "../protocols/neutral.ts";
import { SseReader } from "../protocols/sse.ts";
import { PROVIDERS } from "../providers/index.ts";
import type { Provider, TestCall } from "../providers/provider.ts";
import { accountObject } from "./objects.ts";

export const testSchema = z.strictObject({
  /** As the account's upstream names it. */
  model: z.string().trim().min(1).max(200).optional(),
  prompt: z.string().min(1).max(2000).optional(),
  maxTokens: z.int().min(1).max(8192).optional(),
});
export type TestOptions = z.infer<typeof testSchema>;

/** Of the whole try. */
const TEST_TIMEOUT_MS = 60_000;
const ERROR_BYTES_MAX = 16_000;
const DEFAULT_PROMPT = "Hi";
const DEFAULT_TOKENS = 64;

export type TranscriptEvent =
  | { readonly event: "start"; readonly data: { readonly url: string; readonly model: string } }
  | { readonly event: "status"; readonly data: { readonly status: number } }
  | { readonly event: "content"; readonly data: { readonly text: string } }
  | { readonly event: "usage"; readonly data: { readonly input: number; readonly output: number } }
  | { readonly event: "error"; readonly data: { readonly message: string; readonly code: string | null } }
  | { readonly event: "done"; readonly data: { readonly ok: boolean; readonly latencyMs: number } };

type Say = (event: TranscriptEvent) => Promise<void>;

/** The call in the account's own dialect, and what reads its stream. */
export function streamedCall(testCall: TestCall, options: TestOptions, requestId: string, now: number) {
  const model = options.model ?? testCall.model;
  const asked: NeutralRequest = {
    ...BARE_REQUEST,
    model,
    stream: true,
    turns: [
      {
        role: "user",
        parts: [{ kind: "text", text: options.prompt ?? DEFAULT_PROMPT, cache: null }],
      },
    ],
    outputTokensMax: options.maxTokens ?? DEFAULT_TOKENS,
  };
  const encoded = CROSSINGS[testCall.protocol].upstream.encodeRequest(asked);
  const body = new TextEncoder().encode(JSON.stringify(encoded.body));
  const call: TestCall = { ...testCall, model, stream: true, path: encoded.path, query: encoded.query, body };
  return { call, decoder: encoded.createDecoder({ id: requestId, model, now }) };
}

/** A request's address without what may be secret in it. */
function shownUrl(url: string, credential: unknown): string {
  const { origin, pathname } = new URL(url);
  return maskSecrets(`${origin}${pathname}`, credential);
}

const refusalText = (decision: Exclude<LeaseDecision, { kind: "granted" }>): string =>
  `The account cannot be used now: ${decision.kind === "refused" ? decision.reason : "moved"}.`;

/** @param left fires when the admin has gone */
export async function transcribe(
  env: Env,
  config: AccountConfig,
  options: TestOptions,
  { say, left }: { readonly say: Say; readonly left: AbortSignal },
): Promise<void> {
  const object = accountObject(env, config.id);
  const startedAt = Date.now();
  const requestId = newRequestId(startedAt, crypto.getRandomValues(new Uint8Array(16)));
  const done = (ok: boolean) => say({ event: "done", data: { ok, latencyMs: Date.now() - startedAt } });
  const fail = (message: string, code: string | null = null) =>
    say({ event: "error", data: { message: quoted(message), code } });
  const decision = await object.lease({
    requestId,
    affinity: null,
    model: options.model ?? "",
    modelFamily: null,
    home: false,
    place: null,
    userTurn: false,
    takesSlot: false,
    waitMs: 0,
    isTrial: true,
  });
  if (decision.kind !== "granted") {
    await fail(refusalText(decision));
    await done(false);
    return;
  }
  const { lease } = decision;
  const provider = PROVIDERS.get(lease.provider);
  try {
    const signal = AbortSignal.any([left, AbortSignal.timeout(TEST_TIMEOUT_MS)]);
    const attempt = { env, lease, options, requestId, signal, say, fail };
    await done(provider !== undefined && (await tryOut(provider, attempt)));
  } catch (error) {
    if (left.aborted) return;
    const code = error instanceof ProxyError ? error.code : null;
    const message = error instanceof Error ? error.message : "The upstream could not be reached.";
    await fail(maskSecrets(message, lease.credential), code);
    await done(false);
  } finally {
    const outcome = { kind: "neutral" } as const;
    await object.news({ ...NO_NEWS, releases: [{ requestId, outcome, windows: null }] });
  }
}

interface Trial {
  readonly env: Env;
  readonly lease: Extract<LeaseDecision, { kind: "granted" }>["lease"];
  readonly options: TestOptions;
  readonly requestId: RequestId;
  readonly signal: AbortSignal;
  readonly say: Say;
  readonly fail: (message: string, code?: string | null) => Promise<void>;
}

/** @returns whether the account answered as it should */
async function tryOut(provider: Provider, trial: Trial): Promise<boolean> {
  const { env, lease, options, requestId, signal, say, fail } = trial;
  const { credential } = lease;
  const testCall = provider.testCall(credential);
  const { call, decoder } = streamedCall(testCall, options, requestId, Date.now());
  const upstreamCall = { ...call, headers: new Headers({ "user-agent": "edge-relay" }), affinity: null };
  const request = await provider.createRequest(upstreamCall, credential, lease.baseUrl, Date.now());
  assertAllowedTarget(request.url, env.ALLOW_PRIVATE_UPSTREAMS);
  await say({ event: "start", data: { url: shownUrl(request.url, credential), model: call.model } });
  const raw = await dialFor(lease.proxy, networkOf(env))(request.url, {
    method: "POST",
    headers: request.headers,
    body: request.body,
    redirect: "manual",
    signal,
  });
  await say({ event: "status", data: { status: raw.status } });
  if (!raw.ok) {
    await fail(maskSecrets(await textAtMost(raw, ERROR_BYTES_MAX), credential));
    return false;
  }
  const answer = provider.decodeAnswer?.(raw, upstreamCall) ?? raw;
  const body: ReadableStream<Uint8Array> | null = answer.body;
  if (body === null || answer.headers.get("content-type")?.includes("event-stream") !== true) {
    await answer.body?.cancel();
    await fail("The upstream's answer was not an event stream.");
    return false;
  }
  const heard: AnswerEvent[] = [];
  const sse = new SseReader(({ name, data }) => {
    const text = new TextDecoder().decode(data);
    const parsed = parsedData(text);
    if (parsed !== undefined) heard.push(...decoder.decode({ name, data: parsed }));
  });
  let ok = false;
  const tell = async () => {
    for (const event of heard.splice(0)) ok = (await retell(event, credential, trial)) ?? ok;
  };
  for await (const chunk of body) {
    sse.push(chunk);
    await tell();
  }
  sse.end();
  heard.push(...decoder.end());
  await tell();
  if (!ok) await fail("The answer ended before it was complete.");
  return ok;
}

const DONE = "[DONE]";

/** undefined: a broken line, which is passed over. */
function parsedData(text: string): unknown {
  if (text.trim() === DONE) return DONE;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** @returns whether the answer is complete, once that is known */
async function retell(
  event: AnswerEvent,
  credential: unknown,
  { say, fail }: Trial,
): Promise<boolean | null> {
  switch (event.kind) {
    case "delta":
      await say({ event: "content", data: { text: maskSecrets(event.text, credential) } });
      return null;
    case "usage": {
      const { input, cacheRead, cacheWrite, output } = event.usage;
      await say({ event: "usage", data: { input: input + cacheRead + cacheWrite, output } });
      return null;
    }
    case "finish":
      return true;
    case "error":
      await fail(maskSecrets(event.message, credential), event.type);
      return false;
    case "start":
    case "open":
    case "signature":
    case "close":
    case "media":
    case "end":
      return null;
  }
}
