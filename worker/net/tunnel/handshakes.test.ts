import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Proxy } from "../../domain/proxy.ts";
import { ProxyError, toBinary } from "../proxy-error.ts";
import { httpConnect } from "./connect.ts";
import { BadAnswer, Negotiation, type Handshake } from "./negotiation.ts";
import { socks5 } from "./socks5.ts";

const proxyWith = (overrides: Partial<Proxy> = {}): Proxy => ({
  type: "socks5",
  host: "proxy.example",
  port: 1080,
  username: null,
  hasPassword: false,
  password: null,
  ...overrides,
});
const SIGNED_IN = proxyWith({ username: "me", hasPassword: true, password: "p:ä" });
const TARGET = { hostname: "api.example", port: 443 };

const bytes = (text: string) => new TextEncoder().encode(text);

/** Everything that is sent to a proxy which says `answer`, cut as told. */
function talk(handshake: Handshake, answer: Uint8Array, cuts: readonly number[] = []) {
  const negotiation = new Negotiation(handshake);
  const sent = [...negotiation.opening];
  const ends = [...new Set([...cuts.filter((cut) => cut < answer.length), answer.length])].sort(
    (a, b) => a - b,
  );
  let start = 0;
  for (const end of ends) {
    sent.push(...negotiation.push(answer.subarray(start, end)));
    start = end;
  }
  return { sent, isDone: negotiation.isDone };
}

function refusalOf(handshake: Handshake, answer: Uint8Array): ProxyError {
  try {
    talk(handshake, answer);
  } catch (error) {
    if (error instanceof ProxyError) return error;
    throw error;
  }
  throw new Error("was not refused");
}

const GRANTED_IPV4 = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

describe("socks5", () => {
  it("asks for a name to be resolved at the proxy", () => {
    const { sent, isDone } = talk(socks5(proxyWith(), TARGET), Uint8Array.of(5, 0, ...GRANTED_IPV4));
    expect(isDone).toBe(true);
    expect(sent).toEqual([5, 1, 0, 5, 1, 0, 3, 11, ...bytes("api.example"), 1, 187]);
  });

  it("signs in with user and password", () => {
    const { sent, isDone } = talk(socks5(SIGNED_IN, TARGET), Uint8Array.of(5, 2, 1, 0, ...GRANTED_IPV4));
    expect(isDone).toBe(true);
    expect(sent.slice(0, 13)).toEqual([5, 2, 0, 2, 1, 2, ...bytes("me"), 4, ...bytes("p:ä")]);
  });

  it("sends no password to a proxy that does not ask for it", () => {
    const { sent } = talk(socks5(SIGNED_IN, TARGET), Uint8Array.of(5, 0, ...GRANTED_IPV4));
    expect(sent.slice(4, 8)).toEqual([5, 1, 0, 3]);
  });

  it.each([
    ["127.0.0.1", [1, 127, 0, 0, 1]],
    ["[2001:db8::1:2]", [4, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2]],
    ["[::]", [4, ...Array.from({ length: 16 }, () => 0)]],
  ])("sends %s as an address", (hostname, address) => {
    const { sent } = talk(socks5(proxyWith(), { hostname, port: 80 }), Uint8Array.of(5, 0));
    expect(sent.slice(3)).toEqual([5, 1, 0, ...address, 0, 80]);
  });

  it.each([
    [proxyWith(), [5, 0xff], "proxy_unauthorized", /wants a sign-in/],
    [proxyWith(), [5, 2], "proxy_unauthorized", /wants a sign-in/],
    [SIGNED_IN, [5, 0xff], "proxy_unauthorized", /accepts no sign-in/],
    [SIGNED_IN, [5, 2, 1, 1], "proxy_unauthorized", /refused the user name or the password/],
    [proxyWith(), [5, 0, 5, 1, 0, 1], "proxy_refused", /general failure/],
    [proxyWith(), [5, 0, 5, 2, 0, 1], "proxy_refused", /not allowed by its rules/],
    [proxyWith(), [5, 0, 5, 3, 0, 1], "proxy_refused", /network unreachable/],
    [proxyWith(), [5, 0, 5, 4, 0, 1], "proxy_refused", /could not reach api.example: host unreachable/],
    [proxyWith(), [5, 0, 5, 5, 0, 1], "proxy_refused", /connection refused/],
    [proxyWith(), [5, 0, 5, 6, 0, 1], "proxy_refused", /time to live expired/],
    [proxyWith(), [5, 0, 5, 7, 0, 1], "proxy_refused", /command not supported/],
    [proxyWith(), [5, 0, 5, 8, 0, 1], "proxy_refused", /address type not supported/],
    [proxyWith(), [5, 0, 5, 99, 0, 1], "proxy_refused", /reply 99/],
  ])("says what a refusal means (%#)", (proxy, answer, code, message) => {
    const refusal = refusalOf(socks5(proxy, TARGET), Uint8Array.from(answer));
    expect(refusal.code).toBe(code);
    expect(refusal.message).toMatch(message);
    expect(refusal.message).not.toContain("p:ä");
  });

  it.each([[[0x48, 0x54]], [[5, 0, 4, 0, 0, 1]], [[5, 0, 5, 0, 0, 9]], [[5, 0, ...GRANTED_IPV4, 1]]])(
    "notices what is not SOCKS5 (%#)",
    (answer) => {
      expect(() => talk(socks5(proxyWith(), TARGET), Uint8Array.from(answer))).toThrow(BadAnswer);
    },
  );

  it("comes to the same for every slicing of the proxy's bytes, and every kind of address", () => {
    const addresses = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }).map((address) => [1, ...address]),
      fc.uint8Array({ minLength: 16, maxLength: 16 }).map((address) => [4, ...address]),
      fc.uint8Array({ maxLength: 255 }).map((name) => [3, name.length, ...name]),
    );
    fc.assert(
      fc.property(addresses, fc.array(fc.nat(300)), (address, cuts) => {
        const answer = Uint8Array.of(5, 2, 1, 0, 5, 0, 0, ...address, 0, 80);
        const whole = talk(socks5(SIGNED_IN, TARGET), answer);
        expect(whole.isDone).toBe(true);
        expect(talk(socks5(SIGNED_IN, TARGET), answer, cuts)).toEqual(whole);
      }),
    );
  });

  it("is not done before the last byte", () => {
    const answer = Uint8Array.of(5, 0, ...GRANTED_IPV4);
    for (let length = 0; length < answer.length; length++) {
      expect(talk(socks5(proxyWith(), TARGET), answer.subarray(0, length)).isDone).toBe(false);
    }
  });
});

describe("httpConnect", () => {
  const OK = bytes("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n");

  it("asks for a tunnel, without a sign-in where there is none", () => {
    const { sent, isDone } = talk(httpConnect(proxyWith(), TARGET), OK);
    expect(isDone).toBe(true);
    expect(new TextDecoder().decode(Uint8Array.from(sent))).toBe(
      "CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n",
    );
  });

  it("signs in with Basic, in UTF-8", () => {
    const { sent } = talk(httpConnect(SIGNED_IN, TARGET), OK);
    expect(new TextDecoder().decode(Uint8Array.from(sent))).toContain(
      `\r\nProxy-Authorization: Basic ${btoa(toBinary("me:p:ä"))}\r\n\r\n`,
    );
  });

  it.each([
    [proxyWith(), "407 Proxy Authentication Required", "proxy_unauthorized", /wants a sign-in \(HTTP 407\)/],
    [SIGNED_IN, "407 No", "proxy_unauthorized", /refused the user name or the password \(HTTP 407\)/],
    [SIGNED_IN, "401 Unauthorized", "proxy_unauthorized", /refused the user name .* \(HTTP 401\)/],
    [SIGNED_IN, "502 Bad Gateway", "proxy_refused", /could not reach api.example: HTTP 502/],
    [SIGNED_IN, "403", "proxy_refused", /HTTP 403/],
  ])("says what %# means", (proxy, status, code, message) => {
    const refusal = refusalOf(httpConnect(proxy, TARGET), bytes(`HTTP/1.1 ${status}\r\n\r\n`));
    expect(refusal.code).toBe(code);
    expect(refusal.message).toMatch(message);
  });

  it.each(["SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 OK\r\n\r\n", `${"x".repeat(20_000)}`])(
    "notices what is not HTTP (%#)",
    (answer) => {
      expect(() => talk(httpConnect(proxyWith(), TARGET), bytes(answer))).toThrow(BadAnswer);
    },
  );

  it("comes to the same for every slicing of the proxy's bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(OK.length)), (cuts) => {
        expect(talk(httpConnect(SIGNED_IN, TARGET), OK, cuts)).toEqual(
          talk(httpConnect(SIGNED_IN, TARGET), OK),
        );
      }),
    );
  });
});
