/** A client's half of SOCKS5: RFC 1928, with user and password by RFC 1929. Names are resolved at the proxy. Pure. */
import type { Proxy } from "../../domain/proxy.ts";
import { nameOf, ProxyError } from "../proxy-error.ts";
import { ipv4Bytes, ipv6Bytes } from "./address.ts";
import { BadAnswer, type Handshake } from "./negotiation.ts";

const VERSION = 5;
const [NO_AUTHENTICATION, USER_AND_PASSWORD] = [0x00, 0x02];
const AUTHENTICATION_VERSION = 1;
const CONNECT = 1;
const [IPV4, NAME, IPV6] = [1, 3, 4];
const PORT_BYTES = 2;
const NAME_BYTES_MAX = 255;

/** RFC 1928, section 6. */
const REPLIES: Readonly<Record<number, string>> = {
  1: "general failure",
  2: "not allowed by its rules",
  3: "network unreachable",
  4: "host unreachable",
  5: "connection refused",
  6: "time to live expired",
  7: "command not supported",
  8: "address type not supported",
};

const encoder = new TextEncoder();
const prefixed = (bytes: Uint8Array): number[] => [bytes.length, ...bytes];
const NOTHING = new Uint8Array(0);

/** @param target where the tunnel is to end */
export function* socks5(
  proxy: Proxy,
  target: { readonly hostname: string; readonly port: number },
): Handshake {
  const { username, password } = proxy;
  const hasUser = username !== null && password !== null;
  const methods = hasUser ? [NO_AUTHENTICATION, USER_AND_PASSWORD] : [NO_AUTHENTICATION];
  const [version, method] = yield { send: Uint8Array.of(VERSION, methods.length, ...methods), until: 2 };
  if (version !== VERSION) throw new BadAnswer("no SOCKS5");
  if (method === USER_AND_PASSWORD && hasUser) {
    const user = [...prefixed(encoder.encode(username)), ...prefixed(encoder.encode(password))];
    const [, status] = yield { send: Uint8Array.of(AUTHENTICATION_VERSION, ...user), until: 2 };
    if (status !== 0) {
      throw new ProxyError("proxy_unauthorized", `${nameOf(proxy)} refused the user name or the password.`);
    }
  } else if (method !== NO_AUTHENTICATION) {
    throw new ProxyError("proxy_unauthorized", `${nameOf(proxy)} ${whyNoMethod(hasUser)}`);
  }
  yield* request(proxy, target);
}

const whyNoMethod = (hasUser: boolean): string =>
  hasUser
    ? "accepts no sign-in with a user name and a password."
    : "wants a sign-in: enter the user name and the password of the proxy.";

function* request(proxy: Proxy, target: { readonly hostname: string; readonly port: number }): Handshake {
  const port = [target.port >> 8, target.port & 0xff];
  const send = Uint8Array.of(VERSION, CONNECT, 0, ...addressOf(target.hostname), ...port);
  const [version, reply = 0, , type] = yield { send, until: 4 };
  if (version !== VERSION) throw new BadAnswer("no SOCKS5");
  if (reply !== 0) {
    const why = REPLIES[reply] ?? `reply ${String(reply)}`;
    throw new ProxyError("proxy_refused", `${nameOf(proxy)} could not reach ${target.hostname}: ${why}.`);
  }
  // The address that the proxy uses follows; nobody needs it, but it is in the way.
  switch (type) {
    case IPV4:
      yield { send: NOTHING, until: 4 + PORT_BYTES };
      return;
    case IPV6:
      yield { send: NOTHING, until: 16 + PORT_BYTES };
      return;
    case NAME: {
      const [length = 0] = yield { send: NOTHING, until: 1 };
      yield { send: NOTHING, until: length + PORT_BYTES };
      return;
    }
    case undefined:
    default:
      throw new BadAnswer("no SOCKS5");
  }
}

function addressOf(hostname: string): number[] {
  const ipv4 = ipv4Bytes(hostname);
  if (ipv4 !== null) return [IPV4, ...ipv4];
  const ipv6 = ipv6Bytes(hostname);
  if (ipv6 !== null) return [IPV6, ...ipv6];
  const name = encoder.encode(hostname);
  if (name.length > NAME_BYTES_MAX) {
    throw new ProxyError("proxy_unusable", "The upstream's host name is too long for a SOCKS5 proxy.");
  }
  return [NAME, ...prefixed(name)];
}
