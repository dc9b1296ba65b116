/** Calls of token endpoints: to allowed targets only, without redirects, within a time limit. */
import type { TokenCall } from "../domain/token-call.ts";
import type { Proxy } from "../domain/proxy.ts";
import { dialFor, type Network } from "./dialer.ts";
import { assertAllowedTarget } from "./guard.ts";

const TOKEN_CALL_TIMEOUT_MS = 30_000;

/** @param proxy what the calls go through; null: nothing */
export function createTokenCall(network: Network, proxy: Proxy | null): TokenCall {
  const dial = dialFor(proxy, network);
  return async function callToken(url, { headers, body }) {
    assertAllowedTarget(url, network.allowPrivate);
    const controller = new AbortController();
    // A timer that is cleared: a pending one would keep an account's object in memory for nothing.
    const timer = setTimeout(() => {
      controller.abort(new Error("no answer in time"));
    }, TOKEN_CALL_TIMEOUT_MS);
    try {
      const answer = await dial(url, {
        method: "POST",
        headers,
        body,
        redirect: "manual",
        signal: controller.signal,
      });
      return { status: answer.status, text: await answer.text() };
    } finally {
      clearTimeout(timer);
    }
  };
}
