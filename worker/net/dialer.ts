/** Chooses the way to an account's upstream: direct, by a tunnel of our own, or by the egress forwarder. */
import { hostAndPort, type Proxy } from "../domain/proxy.ts";
import { RelayError } from "../domain/errors.ts";
import type { Dial } from "./dial.ts";
import { forwarderDial, type EgressForwarder } from "./egress.ts";
import { assertAllowedHost } from "./guard.ts";
import { nameOf, ProxyError } from "./proxy-error.ts";
import { tunnelDial } from "./tunnel/tunnel.ts";

/** What a deployment says of its way out. */
export interface Network {
  /** Proxies and upstreams may have private addresses. */
  readonly allowPrivate: boolean;
  /** Where proxied calls go through; null: the worker opens tunnels itself. */
  readonly egress: EgressForwarder | null;
}

/** @param proxy null: the account has none, and `fetch` itself is the way */
export function dialFor(proxy: Proxy | null, network: Network): Dial {
  if (proxy === null) return fetch;
  // Whatever is wrong with a proxy is said by the call: nothing must go to the upstream without it.
  const problem = problemWith(proxy, network);
  if (problem !== null) return () => Promise.reject(problem);
  return network.egress === null ? tunnelDial(proxy) : forwarderDial(proxy, network.egress);
}

function problemWith(proxy: Proxy, { allowPrivate, egress }: Network): ProxyError | null {
  const unusable = (message: string) => new ProxyError("proxy_unusable", message);
  if (proxy.hasPassword && proxy.password === null) {
    return unusable(`The password of the proxy ${hostAndPort(proxy)} is lost: enter it again.`);
  }
  if (proxy.type === "https" && egress === null) {
    return unusable(
      `${nameOf(proxy)} is reached by TLS, and TLS inside TLS is not possible in a worker: run the egress forwarder and set EGRESS_URL (docs/proxies.md), or use the proxy's HTTP or SOCKS5 port.`,
    );
  }
  try {
    assertAllowedHost(proxy.host, allowPrivate);
  } catch (error) {
    if (error instanceof RelayError) return unusable(`${nameOf(proxy)} cannot be used: ${error.message}`);
    throw error;
  }
  return null;
}
