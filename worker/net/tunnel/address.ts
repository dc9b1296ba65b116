/** Hosts of URLs as bytes. Pure. */

/** @returns the four bytes, or null where the host is not an IPv4 address; the URL parser has undone other notations */
export function ipv4Bytes(hostname: string): Uint8Array | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(hostname)?.slice(1).map(Number);
  return parts === undefined ? null : Uint8Array.from(parts);
}

const IPV6_GROUPS = 8;

/** @returns the sixteen bytes, or null where the host is not an IPv6 address in brackets, as the URL parser writes it */
export function ipv6Bytes(hostname: string): Uint8Array | null {
  const text = /^\[(.*)\]$/.exec(hostname)?.[1];
  if (text === undefined) return null;
  const [left = [], right = []] = text.split("::").map((side) => side.split(":").filter(Boolean));
  const zeros = Array.from({ length: IPV6_GROUPS - left.length - right.length }, () => "0");
  const groups = [...left, ...zeros, ...right].map((group) => parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}
