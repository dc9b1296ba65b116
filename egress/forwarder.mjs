/**
 * The egress forwarder: makes the calls of accounts that have a proxy, for workers whose own network cannot. One file
 * for Node 20 or newer and nothing else; README.md beside it says how to run it and what is said on the wire.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { lookup as resolve } from "node:dns";
import { readFileSync } from "node:fs";
import { createServer as createPlainServer, request as createRequest } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { BlockList, connect as connectTcp, isIP, isIPv6 } from "node:net";
import { pipeline } from "node:stream";
import { connect as connectTls } from "node:tls";
import { fileURLToPath } from "node:url";

/**
 * @typedef {{ type: "socks5" | "http" | "https", host: string, port: number, username: string | null, password: string | null }} Proxy
 * @typedef {{ token: string, allowed: ReadonlySet<string>, allowPrivate: boolean, idleMs: number, host: string, port: number,
 *   tls: { cert: Buffer, key: Buffer } | null }} Settings
 * @typedef {{ request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse }} Exchange
 */

const TOKEN_LENGTH_MIN = 32;
/** Of a request, in bytes: more than any account's headers with a proxy beside them. */
const HEADERS_BYTES_MAX = 64 * 1024;
const HEADERS_TIMEOUT_MS = 20_000;
/** Until the tunnel must be open, TLS included. */
const OPENING_TIMEOUT_MS = 15_000;
const IDLE_MS_DEFAULT = 600_000;
/** No proxy has more to say before the tunnel is open. */
const PROXY_ANSWER_BYTES_MAX = 16 * 1024;
const HTTPS_PORT = 443;

/** RFC 9110, section 7.6.1: these speak of one connection. */
const HOP_BY_HOP = new Set(
  "connection keep-alive proxy-connection te trailer transfer-encoding upgrade proxy-authenticate proxy-authorization".split(
    " ",
  ),
);

/** The statuses of the forwarder's own errors, by code; README.md says what each means. */
const STATUS = {
  egress_unauthorized: 401,
  egress_target_denied: 403,
  proxy_unusable: 400,
  proxy_unreachable: 502,
  proxy_unauthorized: 502,
  proxy_refused: 502,
  upstream_tls_failed: 502,
  upstream_failed: 502,
};

class Failure extends Error {
  /**
   * @param {keyof typeof STATUS} code
   * @param {string} message for admins; holds no secret
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

// ---- settings: from the environment, once

/** @param {string} text */
const flag = (text) => text === "true" || text === "1";

/**
 * @param {Record<string, string | undefined>} env
 * @returns {Settings}
 */
export function readSettings(env) {
  const token = env.EGRESS_TOKEN ?? "";
  if (token.length < TOKEN_LENGTH_MIN) throw new Error("EGRESS_TOKEN must have at least 32 characters");
  const hosts = (env.EGRESS_ALLOW ?? "")
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  if (hosts.length === 0)
    throw new Error("EGRESS_ALLOW must list the upstream hosts, such as api.anthropic.com");
  const allowed = new Set(hosts.map((host) => (/:\d+$/.test(host) ? host : `${host}:${HTTPS_PORT}`)));
  const plain = flag(env.EGRESS_PLAIN_HTTP ?? "");
  const host = env.EGRESS_HOST ?? (plain ? "127.0.0.1" : "0.0.0.0");
  if (plain && !["127.0.0.1", "::1", "localhost"].includes(host)) {
    throw new Error(
      "EGRESS_PLAIN_HTTP is for loopback only: leave EGRESS_HOST out, or give EGRESS_CERT and EGRESS_KEY",
    );
  }
  const { EGRESS_CERT: cert, EGRESS_KEY: key } = env;
  if (!plain && (cert === undefined || key === undefined)) {
    throw new Error("EGRESS_CERT and EGRESS_KEY must name the certificate's and the key's file");
  }
  return {
    token,
    allowed,
    host,
    port: Number(env.EGRESS_PORT ?? 8443),
    allowPrivate: flag(env.EGRESS_ALLOW_PRIVATE ?? ""),
    idleMs: Number(env.EGRESS_IDLE_MS ?? IDLE_MS_DEFAULT),
    tls:
      plain || cert === undefined || key === undefined
        ? null
        : { cert: readFileSync(cert), key: readFileSync(key) },
  };
}

// ---- the request: who asks, for what, by which way

/** @param {string} text */
const digest = (text) => createHash("sha256").update(text).digest();

/**
 * @param {Exchange["request"]} request
 * @param {string} name
 */
function headerOf(request, name) {
  const value = request.headers[name];
  return typeof value === "string" ? value : "";
}

/**
 * @param {Exchange["request"]} request
 * @param {Settings} settings
 */
function authorize(request, { token }) {
  const given = headerOf(request, "x-egress-authorization");
  // Digests have one length, which is what the comparison in constant time wants.
  if (timingSafeEqual(digest(given), digest(`Bearer ${token}`))) return;
  throw new Failure(
    "egress_unauthorized",
    "The egress forwarder refused EGRESS_TOKEN: both sides must have the same.",
  );
}

/**
 * @param {Exchange["request"]} request
 * @param {Settings} settings
 */
function readTarget(request, { allowed }) {
  const text = headerOf(request, "x-egress-target");
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.protocol !== "https:" || url.username !== "") {
    throw new Failure("egress_target_denied", "The egress forwarder calls https:// addresses only.");
  }
  const port = url.port || String(HTTPS_PORT);
  const [, ...parents] = url.hostname.split(".");
  const patterns = parents.map((_, index) => `*.${parents.slice(index).join(".")}:${port}`);
  if ([`${url.hostname}:${port}`, ...patterns].some((pattern) => allowed.has(pattern))) return url;
  throw new Failure(
    "egress_target_denied",
    `The egress forwarder may not call ${url.host}: add it to EGRESS_ALLOW where it runs.`,
  );
}

/**
 * @param {Exchange["request"]} request
 * @returns {Proxy}
 */
function readProxy(request) {
  const problem = new Failure(
    "proxy_unusable",
    "The egress forwarder was given no proxy that it understands.",
  );
  /** @type {Partial<Record<keyof Proxy, unknown>>} */
  let proxy;
  try {
    proxy = JSON.parse(Buffer.from(headerOf(request, "x-egress-proxy"), "base64").toString());
  } catch {
    throw problem;
  }
  const { type, host, port, username = null, password = null } = proxy ?? {};
  if (type !== "socks5" && type !== "http" && type !== "https") throw problem;
  if (typeof host !== "string" || host === "" || typeof port !== "number") throw problem;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw problem;
  if (typeof username !== "string" || typeof password !== "string") {
    if (username !== null || password !== null) throw problem;
    return { type, host, port, username: null, password: null };
  }
  if (Buffer.byteLength(username) > 255 || Buffer.byteLength(password) > 255) throw problem;
  return { type, host, port, username, password };
}

/**
 * What the upstream gets: the headers that were named, and ours.
 *
 * @param {Exchange["request"]} request
 * @param {URL} target
 */
function upstreamHeaders(request, target) {
  const named = new Set(headerOf(request, "x-egress-pass").toLowerCase().split(","));
  for (const name of ["host", "content-length", "accept-encoding", ...HOP_BY_HOP]) named.delete(name);
  const headers = ["host", target.host, "connection", "close", "accept-encoding", "identity"];
  const length = request.headers["content-length"];
  if (length !== undefined) headers.push("content-length", length);
  else if (request.headers["transfer-encoding"] !== undefined) headers.push("transfer-encoding", "chunked");
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const [name = "", value = ""] = request.rawHeaders.slice(at, at + 2);
    if (named.has(name.toLowerCase())) headers.push(name, value);
  }
  return headers;
}

// ---- the way to the proxy

/** Loopback, private, link-local, shared and reserved addresses (RFC 6890). */
const inside = new BlockList();
for (const range of "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.168.0.0/16 198.18.0.0/15 224.0.0.0/3 ::/127 64:ff9b:1::/48 fc00::/7 fe80::/10 ff00::/8".split(
  " ",
)) {
  const [network = "", bits] = range.split("/");
  inside.addSubnet(network, Number(bits), isIPv6(network) ? "ipv6" : "ipv4");
}

/** @param {string} address */
const isInside = (address) => inside.check(address, isIPv6(address) ? "ipv6" : "ipv4");

/** @param {Proxy} proxy */
const nameOf = ({ host, port }) => `The proxy ${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** @param {Proxy} proxy */
const insideFailure = (proxy) =>
  new Failure(
    "proxy_unusable",
    `${nameOf(proxy)} is in a private network. Set EGRESS_ALLOW_PRIVATE=true where the forwarder runs if it may go there.`,
  );

/**
 * Names are checked by what they resolve to, at the moment of connecting.
 *
 * @param {Proxy} proxy
 * @returns {import("node:net").LookupFunction}
 */
const guardedLookup = (proxy) => (host, options, callback) => {
  resolve(host, options, (error, address, family) => {
    const addresses = typeof address === "string" ? [address] : (address ?? []).map((each) => each.address);
    const problem = error ?? (addresses.some(isInside) ? insideFailure(proxy) : null);
    callback(problem, address, family);
  });
};

/**
 * @param {Proxy} proxy
 * @param {Settings} settings
 * @param {AbortSignal} signal
 * @returns {Promise<import("node:net").Socket>}
 */
async function reachProxy(proxy, { allowPrivate }, signal) {
  const { host, port } = proxy;
  if (!allowPrivate && isIP(host) !== 0 && isInside(host)) throw insideFailure(proxy);
  const place = { host, port, ...(allowPrivate ? {} : { lookup: guardedLookup(proxy) }) };
  const secured = { ...place, ...(isIP(host) === 0 ? { servername: host } : {}) };
  const socket = proxy.type === "https" ? connectTls(secured) : connectTcp(place);
  socket.setNoDelay(true).on("error", ignore);
  await happened(socket, proxy.type === "https" ? "secureConnect" : "connect", signal).catch((error) => {
    socket.destroy();
    if (error instanceof Failure) throw error;
    throw new Failure("proxy_unreachable", `${nameOf(proxy)} could not be reached (${codeOf(error)}).`);
  });
  return socket;
}

/** A late error of a socket that nobody waits for must not end the process. */
const ignore = () => undefined;

/** @param {unknown} error */
const codeOf = (error) =>
  error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : "connection ended";

/**
 * Waits for an event of a socket. @throws its error, when it closes first, or when the signal fires
 *
 * @param {import("node:net").Socket} socket
 * @param {string} event
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function happened(socket, event, signal) {
  const { promise, resolve: done, reject } = withResolvers();
  const onClose = () => reject(new Error("connection ended"));
  const onAbort = () => reject(signal.reason);
  socket.once(event, done).once("error", reject).once("close", onClose);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return promise.finally(() => {
    socket.off(event, done).off("error", reject).off("close", onClose);
    signal.removeEventListener("abort", onAbort);
  });
}

/** Node 20 has no `Promise.withResolvers`. */
function withResolvers() {
  /** @type {(value: void) => void} */
  let done = () => undefined;
  /** @type {(reason: unknown) => void} */
  let reject = () => undefined;
  /** @type {Promise<void>} */
  const promise = new Promise((...both) => ([done, reject] = both));
  return { promise, resolve: () => done(), reject };
}

// ---- the handshakes

/**
 * @param {import("node:net").Socket} socket
 * @param {number} length
 * @param {AbortSignal} signal
 * @returns {Promise<Buffer>}
 */
async function take(socket, length, signal) {
  for (;;) {
    /** @type {Buffer | null} */
    const bytes = socket.read(length);
    if (bytes !== null && bytes.length === length) return bytes;
    if (bytes !== null || socket.readableEnded || socket.destroyed) throw new Error("connection ended");
    await happened(socket, "readable", signal);
  }
}

/** RFC 1928, section 6. */
const SOCKS_REPLIES = [
  "",
  "general failure",
  "not allowed by its rules",
  "network unreachable",
  "host unreachable",
  "connection refused",
  "time to live expired",
  "command not supported",
  "address type not supported",
];

/** @param {Buffer} bytes */
const prefixed = (bytes) => [bytes.length, ...bytes];

/**
 * SOCKS5 (RFC 1928), with user and password by RFC 1929; names are resolved at the proxy.
 *
 * @param {import("node:net").Socket} socket
 * @param {Proxy} proxy
 * @param {URL} target
 * @param {AbortSignal} signal
 */
async function socks5(socket, proxy, target, signal) {
  const { username, password } = proxy;
  socket.write(Buffer.from(username === null ? [5, 1, 0] : [5, 2, 0, 2]));
  const [version, method] = await take(socket, 2, signal);
  if (version !== 5) throw new Error("no SOCKS5");
  if (method === 2 && username !== null && password !== null) {
    socket.write(Buffer.from([1, ...prefixed(Buffer.from(username)), ...prefixed(Buffer.from(password))]));
    const [, status] = await take(socket, 2, signal);
    if (status !== 0)
      throw new Failure("proxy_unauthorized", `${nameOf(proxy)} refused the user name or the password.`);
  } else if (method !== 0) {
    throw new Failure("proxy_unauthorized", `${nameOf(proxy)} wants another sign-in than it was given.`);
  }
  const port = Number(target.port || HTTPS_PORT);
  socket.write(Buffer.from([5, 1, 0, 3, ...prefixed(Buffer.from(target.hostname)), port >> 8, port & 0xff]));
  const [, reply = 1, , type] = await take(socket, 4, signal);
  if (reply !== 0) {
    const why = SOCKS_REPLIES[reply] ?? `reply ${reply}`;
    throw new Failure("proxy_refused", `${nameOf(proxy)} could not reach ${target.hostname}: ${why}.`);
  }
  const length = type === 3 ? ((await take(socket, 1, signal))[0] ?? 0) : type === 4 ? 16 : 4;
  await take(socket, length + 2, signal);
}

/**
 * HTTP CONNECT (RFC 9110, section 9.3.6), with Basic sign-in.
 *
 * @param {import("node:net").Socket} socket
 * @param {Proxy} proxy
 * @param {URL} target
 * @param {AbortSignal} signal
 */
async function httpConnect(socket, proxy, target, signal) {
  const { username, password } = proxy;
  const authority = `${target.hostname}:${target.port || HTTPS_PORT}`;
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  const signIn = username === null ? "" : `Proxy-Authorization: Basic ${basic}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${signIn}\r\n`);
  let head = "";
  // Byte by byte, so that nothing of what follows is taken from it.
  while (!head.endsWith("\r\n\r\n")) {
    if (head.length > PROXY_ANSWER_BYTES_MAX) throw new Error("endless answer");
    head += (await take(socket, 1, signal)).toString("latin1");
  }
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
  if (Number.isNaN(status)) throw new Error("no HTTP");
  if (status >= 200 && status < 300) return;
  // 401 is none of a proxy's statuses, but tinyproxy refuses a wrong password with it.
  if (status === 407 || status === 401) {
    throw new Failure("proxy_unauthorized", `${nameOf(proxy)} refused the sign-in (HTTP ${status}).`);
  }
  throw new Failure("proxy_refused", `${nameOf(proxy)} could not reach ${target.hostname}: HTTP ${status}.`);
}

/**
 * A TLS connection to the upstream, through the proxy.
 *
 * @param {Proxy} proxy
 * @param {URL} target
 * @param {Settings} settings
 * @param {AbortSignal} signal
 * @returns {Promise<import("node:tls").TLSSocket>}
 */
async function openTunnel(proxy, target, settings, signal) {
  const socket = await reachProxy(proxy, settings, signal);
  try {
    await (proxy.type === "socks5" ? socks5 : httpConnect)(socket, proxy, target, signal);
  } catch (error) {
    socket.destroy();
    if (error instanceof Failure) throw error;
    const kind = proxy.type === "socks5" ? "a SOCKS5" : "an HTTP";
    throw new Failure(
      "proxy_unreachable",
      `${nameOf(proxy)} does not answer as ${kind} proxy does, or broke off.`,
    );
  }
  const host = target.hostname.replace(/^\[(.*)\]$/, "$1");
  const secured = connectTls({ socket, host, ...(isIP(host) === 0 ? { servername: host } : {}) });
  secured.on("error", ignore);
  await happened(secured, "secureConnect", signal).catch((error) => {
    secured.destroy();
    socket.destroy();
    if (error instanceof Failure) throw error;
    const why = codeOf(error);
    throw new Failure(
      "upstream_tls_failed",
      `TLS with ${target.hostname} through the proxy failed (${why}).`,
    );
  });
  return secured;
}

// ---- the exchange

/**
 * @param {Exchange} exchange
 * @param {Settings} settings
 */
async function serve({ request, response }, settings) {
  authorize(request, settings);
  const target = readTarget(request, settings);
  const proxy = readProxy(request);
  const left = new AbortController();
  response.once("close", () => left.abort(new Error("the worker left")));
  const opening = AbortSignal.any([left.signal, deadline(proxy)]);
  const socket = await openTunnel(proxy, target, settings, opening);
  left.signal.addEventListener("abort", () => socket.destroy());
  if (left.signal.aborted) socket.destroy();
  socket.setTimeout(settings.idleMs, () => socket.destroy(new Error("silent for too long")));
  await forward({ request, response }, target, socket);
}

/** @param {Proxy} proxy */
function deadline(proxy) {
  const controller = new AbortController();
  const late = new Failure("proxy_unreachable", `${nameOf(proxy)} did not open the way in time.`);
  setTimeout(() => controller.abort(late), OPENING_TIMEOUT_MS).unref();
  return controller.signal;
}

/**
 * @param {Exchange} exchange
 * @param {URL} target
 * @param {import("node:tls").TLSSocket} socket
 */
async function forward({ request, response }, target, socket) {
  const upstream = createRequest({
    createConnection: () => socket,
    method: request.method ?? "GET",
    path: target.pathname + target.search,
    headers: upstreamHeaders(request, target),
    maxHeaderSize: HEADERS_BYTES_MAX,
  });
  const answered = new Promise((answer, reject) => upstream.once("response", answer).once("error", reject));
  // An upstream may answer before it has read all; then what it says counts, and not the request that was cut short.
  pipeline(request, upstream, () => undefined);
  /** @type {import("node:http").IncomingMessage} */
  const answer = await answered.catch((error) => {
    throw new Failure("upstream_failed", `The upstream gave no answer (${codeOf(error)}).`);
  });
  response.writeHead(answer.statusCode ?? 502, answerHeaders(answer.rawHeaders));
  response.flushHeaders();
  // An answer that is cut short must look so on the other side, too: the pipeline destroys the response then.
  await new Promise((done) => pipeline(answer, response, done));
  socket.destroy();
}

/** @param {readonly string[]} raw names and values in turn */
function answerHeaders(raw) {
  const headers = ["x-egress-answer", "upstream"];
  for (let at = 0; at < raw.length; at += 2) {
    const [name = "", value = ""] = raw.slice(at, at + 2);
    const lower = name.toLowerCase();
    if (!HOP_BY_HOP.has(lower) && !lower.startsWith("x-egress-")) headers.push(name, value);
  }
  return headers;
}

/**
 * @param {Exchange} exchange
 * @param {unknown} error
 */
function refuse({ request, response }, error) {
  request.resume();
  const { code, message } =
    error instanceof Failure
      ? error
      : { code: /** @type {const} */ ("upstream_failed"), message: "The forwarder failed." };
  if (!(error instanceof Failure)) log({ event: "error", error: String(error) });
  if (response.headersSent || response.destroyed) return void response.destroy();
  response.writeHead(STATUS[code], { "x-egress-error": code, "content-type": "text/plain; charset=utf-8" });
  response.end(message);
}

/** @param {Record<string, unknown>} line without secrets */
const log = (line) => console.log(JSON.stringify({ at: new Date().toISOString(), ...line }));

/**
 * @param {Settings} settings
 * @returns {import("node:http").Server}
 */
export function createForwarder(settings) {
  const limits = { maxHeaderSize: HEADERS_BYTES_MAX, headersTimeout: HEADERS_TIMEOUT_MS, noDelay: true };
  const server =
    settings.tls === null ? createPlainServer(limits) : createTlsServer({ ...limits, ...settings.tls });
  return server.on("request", (request, response) => {
    const startedAt = performance.now();
    const exchange = { request, response };
    response.once("close", () => {
      const ms = Math.round(performance.now() - startedAt);
      log({ event: "call", status: response.statusCode, error: response.getHeader("x-egress-error"), ms });
    });
    serve(exchange, settings).catch((error) => {
      refuse(exchange, error);
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const settings = readSettings(process.env);
    const server = createForwarder(settings);
    server.listen(settings.port, settings.host, () => {
      const address = server.address();
      const port = typeof address === "object" ? address?.port : settings.port;
      log({ event: "listening", host: settings.host, port, tls: settings.tls !== null });
    });
    process.once("SIGTERM", () => {
      server.close();
      server.closeIdleConnections();
    });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
