/** Which addresses an upstream may have: nothing inside, unless the deployment allows it. Pure. */
import { RelayError } from "../domain/errors.ts";

/** Private, loopback, link-local, shared, benchmarking, multicast and reserved ranges (RFC 6890): [network, prefix bits]. */
const BLOCKED_IPV4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const;
const BLOCKED_NAMES = /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa|onion)$/;

const ipv4Number = (text: string): number | null => {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  return parts === undefined ? null : parts.reduce((number, part) => number * 256 + part, 0);
};

function isBlockedIpv4(address: number): boolean {
  return BLOCKED_IPV4.some(([network, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(address / size) === Math.floor((ipv4Number(network) ?? 0) / size);
  });
}

/** @param text an IPv6 address as the URL parser writes it, without brackets */
function isBlockedIpv6(text: string): boolean {
  const mapped = /^::(?:ffff:)?([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text);
  if (mapped !== null)
    return isBlockedIpv4(parseInt(mapped[1] ?? "", 16) * 65_536 + parseInt(mapped[2] ?? "", 16));
  // Only 2000::/3 is global unicast; inside it, 2001:db8::/32 documents and 2002::/16 wraps any IPv4 address.
  return !/^[23]/.test(text) || text.startsWith("2001:db8:") || text.startsWith("2002:");
}

/** Whether an address leads inside. The URL parser has already undone decimal, octal and hex notations. */
export function isPrivateTarget(url: URL): boolean {
  const host = url.hostname.replace(/\.$/, "");
  if (host.startsWith("[")) return isBlockedIpv6(host.slice(1, -1));
  const ipv4 = ipv4Number(host);
  if (ipv4 !== null) return isBlockedIpv4(ipv4);
  return BLOCKED_NAMES.test(host) || !host.includes(".");
}

/** @throws RelayError `invalid_request` that says what is wrong with the address */
export function assertAllowedTarget(address: string, allowPrivate: boolean): void {
  const url = URL.parse(address);
  if (url === null) throw new RelayError("invalid_request", "The address is not a valid URL.");
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new RelayError("invalid_request", "The address must begin with https://.");
  }
  if (allowPrivate) return;
  if (url.protocol !== "https:")
    throw new RelayError("invalid_request", "The address must begin with https://.");
  assertPublic(url);
}

/**
 * @param host a name or an address, an IPv6 address without brackets
 * @throws RelayError `invalid_request` that says what is wrong with it
 */
export function assertAllowedHost(host: string, allowPrivate: boolean): void {
  const address = `http://${host.includes(":") ? `[${host}]` : host}/`;
  if (!URL.canParse(address)) throw new RelayError("invalid_request", "The address is not a valid host.");
  if (!allowPrivate) assertPublic(new URL(address));
}

function assertPublic(url: URL): void {
  if (!isPrivateTarget(url)) return;
  throw new RelayError(
    "invalid_request",
    "The address leads into a private network. Set ALLOW_PRIVATE_UPSTREAMS=true if this deployment may reach it.",
  );
}
