/** HTTP/1.1 requests as bytes. Pure. */
import type { DialInit } from "../dial.ts";

/** Ours to say: they speak of the connection, or of what we can read. */
const OWN_HEADERS = [
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "accept-encoding",
  "expect",
];

const encoder = new TextEncoder();

export const bodyOf = ({ body = "" }: DialInit): Uint8Array =>
  typeof body === "string" ? encoder.encode(body) : body;

export function createHead(url: URL, { method, headers }: DialInit, bodyBytes: number): Uint8Array {
  const own = [
    ["host", url.host],
    ["connection", "close"],
    ["accept-encoding", "identity"],
    ...(method === "GET" ? [] : [["content-length", String(bodyBytes)]]),
  ];
  const others = [...new Headers(headers)].filter(([name]) => !OWN_HEADERS.includes(name));
  const lines = [...own, ...others].map(([name = "", value = ""]) => `${name}: ${value}\r\n`);
  return encoder.encode(`${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("")}\r\n`);
}
