/** A client's half of HTTP CONNECT (RFC 9110, section 9.3.6), with Basic sign-in (RFC 7617). Pure. */
import type { Proxy } from "../../domain/proxy.ts";
import { nameOf, ProxyError, toBinary } from "../proxy-error.ts";
import { BadAnswer, type Handshake } from "./negotiation.ts";

const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n/;
/** The second is none of a proxy's, but tinyproxy refuses a wrong password with it. */
const UNAUTHORIZED: readonly number[] = [407, 401];

export function* httpConnect(
  proxy: Proxy,
  target: { readonly hostname: string; readonly port: number },
): Handshake {
  const { username, password } = proxy;
  const authority = `${target.hostname}:${String(target.port)}`;
  const hasUser = username !== null && password !== null;
  const signIn = hasUser ? `Proxy-Authorization: Basic ${btoa(toBinary(`${username}:${password}`))}\r\n` : "";
  const head = `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${signIn}\r\n`;
  const answer = yield { send: new TextEncoder().encode(head), until: "blank line" };
  const status = Number(STATUS_LINE.exec(new TextDecoder().decode(answer))?.[1]);
  if (Number.isNaN(status)) throw new BadAnswer("no HTTP");
  if (status >= 200 && status < 300) return;
  if (UNAUTHORIZED.includes(status)) {
    const why = hasUser
      ? `refused the user name or the password (HTTP ${String(status)}).`
      : `wants a sign-in (HTTP ${String(status)}): enter the user name and the password of the proxy.`;
    throw new ProxyError("proxy_unauthorized", `${nameOf(proxy)} ${why}`);
  }
  throw new ProxyError(
    "proxy_refused",
    `${nameOf(proxy)} could not reach ${target.hostname}: HTTP ${String(status)}.`,
  );
}
