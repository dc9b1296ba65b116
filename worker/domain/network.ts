/** Whose an address is, for counting what somebody tries. Pure. */

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** What one subscriber of IPv6 is given at least (RFC 6177): 64 bits, which are four groups. */
const GROUPS = 4;
const GROUPS_IN_ALL = 8;

/** An IPv4 address as it is; of an IPv6 address its /64, since whoever has one address has all of those. */
export function networkOf(address: string): string {
  const mapped = MAPPED_IPV4.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const groupsOf = (text: string) => (text === "" ? [] : text.split(":"));
  const [left, right] = [groupsOf(head), groupsOf(tail ?? "")];
  const gap = tail === undefined ? 0 : Math.max(0, GROUPS_IN_ALL - left.length - right.length);
  const groups = [...left, ...Array.from({ length: gap }, () => "0"), ...right];
  const prefix = groups.slice(0, GROUPS).map((group) => group.replace(/^0+(?=.)/, ""));
  return `${prefix.join(":")}::/64`;
}
