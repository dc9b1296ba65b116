/** Proves that an account works: one small call, through the same lease, provider and verdict as any other. */
import { NO_NEWS } from "../../durable-objects/account/contract.ts";
import type { AccountConfig } from "../domain/account.ts";
import { newRequestId } from "../domain/ids.ts";
import type { Lease } from "../domain/lease.ts";
import { quoted } from "../domain/notice.ts";
import { maskSecrets } from "../domain/secrets.ts";
import { networkOf, type Env } from "../env.ts";
import { dialFor } from "../net/dialer.ts";
import { assertAllowedTarget } from "../net/guard.ts";
import { PROXY_ERROR_CODES, ProxyError, type ProxyErrorCode } from "../net/proxy-error.ts";
import { textAtMost } from "../net/text-at-most.ts";
import { PROVIDERS } from "../providers/index.ts";
import { accountObject } from "./objects.ts";
import { transcribe, type TestOptions, type TranscriptEvent } from "./test-transcript.ts";

const TEST_TIMEOUT_MS = 30_000;
const MESSAGE_LENGTH_MAX = 500;
const ERROR_BYTES_MAX = 16_000;

export interface TestResult {
  readonly ok: boolean;
  /** The upstream's HTTP status; null when it was not reached. */
  readonly status: number | null;
  readonly latencyMs: number;
  readonly message: string;
  /** What is wrong with the account's proxy, or on the way through it; null: nothing that is known. */
  readonly code: ProxyErrorCode | null;
}

const failed = (message: string, code: ProxyErrorCode | null = null): TestResult => ({
  ok: false,
  status: null,
  latencyMs: 0,
  message,
  code,
});

/** The answer's text is shown up to here. */
const CONTENT_LENGTH_MAX = 2000;

/** What a transcript comes to. */
async function summedUp(env: Env, config: AccountConfig, options: TestOptions): Promise<TestResult> {
  const heard: TranscriptEvent[] = [];
  const say = (event: TranscriptEvent) => {
    heard.push(event);
    return Promise.resolve();
  };
  await transcribe(env, config, options, { say, left: new AbortController().signal });
  let result = failed("The account did not answer.");
  let content = "";
  for (const { event, data } of heard) {
    if (event === "status") result = { ...result, status: data.status };
    else if (event === "content") content = `${content}${data.text}`.slice(0, CONTENT_LENGTH_MAX);
    else if (event === "error") {
      const code = PROXY_ERROR_CODES.find((known) => known === data.code) ?? null;
      result = { ...result, message: data.message, code };
    } else if (event === "done") result = { ...result, ...data };
  }
  return result.ok ? { ...result, message: content === "" ? "The account answered." : content } : result;
}

/** @param options none: the smallest call that proves it */
export async function testAccount(
  env: Env,
  config: AccountConfig,
  options: TestOptions,
): Promise<TestResult> {
  if (Object.keys(options).length > 0) return summedUp(env, config, options);
  const object = accountObject(env, config.id);
  const requestId = newRequestId(Date.now(), crypto.getRandomValues(new Uint8Array(16)));
  const decision = await object.lease({
    requestId,
    affinity: null,
    model: "",
    modelFamily: null,
    home: false,
    place: null,
    userTurn: false,
    takesSlot: false,
    waitMs: 0,
    isTrial: true,
  });
  if (decision.kind !== "granted") {
    return failed(
      `The account cannot be used now: ${decision.kind === "refused" ? decision.reason : "moved"}.`,
    );
  }
  try {
    return await call(env, decision.lease);
  } finally {
    await object.news({ ...NO_NEWS, releases: [{ requestId, outcome: { kind: "neutral" }, windows: null }] });
  }
}

async function call(env: Env, lease: Lease): Promise<TestResult> {
  const provider = PROVIDERS.get(lease.provider);
  if (provider === undefined) return failed(`Unknown provider "${lease.provider}".`);
  const testCall = provider.testCall(lease.credential);
  const request = await provider.createRequest(
    { ...testCall, headers: new Headers({ "user-agent": "edge-relay" }), affinity: null },
    lease.credential,
    lease.baseUrl,
    Date.now(),
  );
  const startedAt = Date.now();
  try {
    assertAllowedTarget(request.url, env.ALLOW_PRIVATE_UPSTREAMS);
    const dial = dialFor(lease.proxy, networkOf(env));
    const answer = await dial(request.url, {
      method: "POST",
      headers: request.headers,
      body: request.body,
      redirect: "manual",
      signal: AbortSignal.timeout(TEST_TIMEOUT_MS),
    });
    const said = maskSecrets(await textAtMost(answer, ERROR_BYTES_MAX), lease.credential);
    const bodyText = said.slice(0, MESSAGE_LENGTH_MAX);
    const facts = { status: answer.status, headers: answer.headers, bodyText, model: "" };
    const verdict = provider.judge(facts, Date.now(), { protocol: testCall.protocol, credentialPart: null });
    return {
      ok: verdict.kind === "deliver",
      status: answer.status,
      latencyMs: Date.now() - startedAt,
      message: verdict.kind === "deliver" ? "The account answered." : quoted(bodyText),
      code: null,
    };
  } catch (error) {
    if (error instanceof ProxyError) return failed(error.message, error.code);
    return failed(error instanceof Error ? error.message : "The upstream could not be reached.");
  }
}
