/** Proves that a proxy works: one call through it, to an address that may tell where the call came from. */
import { quoted } from "../domain/notice.ts";
import type { Proxy } from "../domain/proxy.ts";
import { networkOf, type Env } from "../env.ts";
import { dialFor } from "../net/dialer.ts";
import { assertAllowedTarget } from "../net/guard.ts";
import { ProxyError, type ProxyErrorCode } from "../net/proxy-error.ts";
import { textAtMost } from "../net/text-at-most.ts";

/** Says in `ip=` who asks. */
export const DEFAULT_TARGET = "https://www.cloudflare.com/cdn-cgi/trace";
const TEST_TIMEOUT_MS = 20_000;
/** What tells an address is short. */
const READ_BYTES_MAX = 10_000;

export interface ProxyTest {
  readonly ok: boolean;
  /** The target's HTTP status; null when it was not reached. */
  readonly status: number | null;
  readonly latencyMs: number;
  /** As the target saw it; null: it does not tell. */
  readonly exitAddress: string | null;
  readonly message: string;
  readonly code: ProxyErrorCode | null;
}

const IPV4 = "\\d{1,3}(?:\\.\\d{1,3}){3}";
const IPV6 = "[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}";
/** `ip=…` on a line of its own, `"ip": "…"` or `"origin": "…"` in JSON, or nothing but the address. */
const EXIT = new RegExp(`(?:^|\\bip=|"(?:ip|origin)"\\s*:\\s*")(${IPV4}|${IPV6})(?=["\\s]|$)`, "im");

/** The address that a call came from, where the answer tells it. */
export const exitAddressIn = (text: string): string | null => EXIT.exec(text.trim())?.[1] ?? null;

/** @throws RelayError where the target is none that may be called */
export async function testProxy(env: Env, proxy: Proxy, target: string): Promise<ProxyTest> {
  assertAllowedTarget(target, env.ALLOW_PRIVATE_UPSTREAMS);
  const startedAt = Date.now();
  const failed = (message: string, code: ProxyErrorCode | null): ProxyTest => ({
    ok: false,
    status: null,
    latencyMs: Date.now() - startedAt,
    exitAddress: null,
    message: quoted(message),
    code,
  });
  try {
    const answer = await dialFor(proxy, networkOf(env))(target, {
      method: "GET",
      headers: { "user-agent": "edge-relay", accept: "*/*" },
      redirect: "manual",
      signal: AbortSignal.timeout(TEST_TIMEOUT_MS),
    });
    const text = await textAtMost(answer, READ_BYTES_MAX);
    return {
      ok: true,
      status: answer.status,
      latencyMs: Date.now() - startedAt,
      exitAddress: exitAddressIn(text),
      message: "The target answered through the proxy.",
      code: null,
    };
  } catch (error) {
    if (error instanceof ProxyError) return failed(error.message, error.code);
    return failed(error instanceof Error ? error.message : "The target could not be reached.", null);
  }
}
