/** What can go wrong between the relay and an upstream behind a proxy, told apart from what upstreams say. Pure. */
import { hostAndPort, type Proxy } from "../domain/proxy.ts";

export const PROXY_ERROR_CODES = [
  /** What is configured cannot work, or not here. */
  "proxy_unusable",
  "proxy_unreachable",
  /** It wants a user and a password, or others. */
  "proxy_unauthorized",
  /** It answered, and could not or would not reach the upstream. */
  "proxy_refused",
  /** The way is open, but the upstream at its end did not prove who it is. */
  "upstream_tls_failed",
  "egress_unreachable",
  "egress_unauthorized",
  "egress_target_denied",
] as const;
export type ProxyErrorCode = (typeof PROXY_ERROR_CODES)[number];

/** Its message is for admins: it says what to do, and holds no password. */
export class ProxyError extends Error {
  readonly code: ProxyErrorCode;

  constructor(code: ProxyErrorCode, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = "ProxyError";
    this.code = code;
  }
}

/** A proxy as messages name it. */
export const nameOf = (proxy: Proxy): string => `The proxy ${hostAndPort(proxy)}`;

/** Text from outside without the proxy's password, in any of the forms in which it is sent. */
export function maskPassword(text: string, { username, password }: Proxy): string {
  if (password === null) return text;
  const forms = [password, encodeURIComponent(password), btoa(toBinary(`${username ?? ""}:${password}`))];
  return forms.reduce((masked, form) => masked.replaceAll(form, "[secret]"), text);
}

/** Each byte of the text's UTF-8 as one character, as `btoa` wants it. */
export const toBinary = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");

/** A handshake that failed, or a connection that ended before the first byte of an answer: how the edge's fault shows. */
export const tlsFailed = (hostname: string, cause: unknown): ProxyError =>
  new ProxyError(
    "upstream_tls_failed",
    `TLS with ${hostname} through the proxy failed. Either the certificate at its end is not valid for that name, or ` +
      "this is Cloudflare's own network, where TLS inside a tunnel may not work (workerd issue 6903): then run the " +
      "egress forwarder and set EGRESS_URL (docs/proxies.md).",
    { cause },
  );
