/**
 * A call through a proxy by a TCP connection of the worker's own: the proxy's handshake, TLS to the upstream where
 * its address says so, then HTTP/1.1. One connection for each call.
 */
import { connect } from "cloudflare:sockets";
import { hostAndPort, type Proxy } from "../../domain/proxy.ts";
import type { Dial, DialInit } from "../dial.ts";
import { nameOf, ProxyError, tlsFailed } from "../proxy-error.ts";
import { httpConnect } from "./connect.ts";
import { exchange } from "./exchange.ts";
import { Line } from "./line.ts";
import { BadAnswer, Negotiation, type Handshake } from "./negotiation.ts";
import { socks5 } from "./socks5.ts";

/** Until the tunnel must be open, TLS included, in ms: a proxy that is slower is of no use to a conversation. */
const OPENING_TIMEOUT_MS = 15_000;
const DEFAULT_PORTS = { "https:": 443, "http:": 80 } as const;

/** @param openingTimeoutMs until the tunnel must be open */
export const tunnelDial =
  (proxy: Proxy, openingTimeoutMs = OPENING_TIMEOUT_MS): Dial =>
  async (address, init) => {
    const url = new URL(address);
    init.signal.throwIfAborted();
    const line = new Line(connectTo(proxy, url));
    const stop = () => {
      line.interrupt(reasonOf(init.signal));
    };
    init.signal.addEventListener("abort", stop, { once: true });
    try {
      await open(line, { proxy, url, openingTimeoutMs });
      return await exchange(line, url, init);
    } catch (error) {
      line.close();
      throw error;
    }
  };

function reasonOf({ reason }: DialInit["signal"]): Error {
  return reason instanceof Error ? reason : new Error("The call was given up.");
}

function connectTo(proxy: Proxy, url: URL): Socket {
  const secureTransport = url.protocol === "https:" ? "starttls" : "off";
  return connect(hostAndPort(proxy), { secureTransport, allowHalfOpen: false });
}

interface Opening {
  readonly proxy: Proxy;
  readonly url: URL;
  readonly openingTimeoutMs: number;
}

async function open(line: Line, { proxy, url, openingTimeoutMs }: Opening): Promise<void> {
  const timer = setTimeout(() => {
    const message = `${nameOf(proxy)} did not open the way to ${url.hostname} in time.`;
    line.interrupt(new ProxyError("proxy_unreachable", message));
  }, openingTimeoutMs);
  try {
    await reach(line, proxy);
    await negotiate(line, proxy, handshakeOf(proxy, url));
    if (url.protocol === "https:") await secure(line, url);
  } finally {
    clearTimeout(timer);
  }
}

async function reach(line: Line, proxy: Proxy): Promise<void> {
  await line.opened.catch((cause: unknown) => {
    if (cause instanceof ProxyError || isAbort(cause)) throw cause;
    const message = `${nameOf(proxy)} could not be reached. Check its host and port, and that it runs.`;
    throw new ProxyError("proxy_unreachable", message, { cause });
  });
}

const isAbort = (error: unknown): boolean =>
  error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError");

function handshakeOf(proxy: Proxy, { protocol, port, hostname }: URL): Handshake {
  const target = {
    hostname,
    port: port === "" ? DEFAULT_PORTS[protocol === "http:" ? "http:" : "https:"] : Number(port),
  };
  switch (proxy.type) {
    case "socks5":
      return socks5(proxy, target);
    case "http":
      return httpConnect(proxy, target);
    case "https":
      throw new ProxyError("proxy_unusable", `${nameOf(proxy)} is reached by TLS: only the forwarder can.`);
  }
}

async function negotiate(line: Line, proxy: Proxy, handshake: Handshake): Promise<void> {
  const reader = line.readable.getReader();
  const writer = line.writable.getWriter();
  try {
    const negotiation = new Negotiation(handshake);
    await line.wait(writer.write(negotiation.opening));
    while (!negotiation.isDone) {
      const { value, done } = await line.wait(reader.read());
      if (done) throw new BadAnswer("the connection ended");
      const next = negotiation.push(value);
      if (next.length > 0) await line.wait(writer.write(next));
    }
  } catch (cause) {
    if (cause instanceof ProxyError || isAbort(cause)) throw cause;
    const kind = proxy.type === "socks5" ? "a SOCKS5" : "an HTTP";
    const message = `${nameOf(proxy)} does not answer as ${kind} proxy does, or broke the connection off. Check its type and port.`;
    throw new ProxyError("proxy_unreachable", message, { cause });
  } finally {
    reader.releaseLock();
    writer.releaseLock();
  }
}

async function secure(line: Line, { hostname }: URL): Promise<void> {
  try {
    await line.secure(hostname.replace(/^\[(.*)\]$/, "$1"));
  } catch (cause) {
    if (cause instanceof ProxyError || isAbort(cause)) throw cause;
    throw tlsFailed(hostname, cause);
  }
}
