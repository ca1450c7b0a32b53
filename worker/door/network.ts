/** The part of an address that is one customer's. */

/** Groups of 16 bits of an IPv6 address that name a network: the least that a customer is given (RFC 6177). */
const NETWORK_GROUPS = 4;
const GROUPS = 8;

/**
 * Who is counted as one caller: an IPv4 address, or the first 64 bits of one of IPv6, of which one customer has 2^64 or more.
 *
 * ```ts
 * networkOf("2001:db8:0:7::1"); // "2001:db8:0:7"
 * networkOf("192.0.2.1"); // "192.0.2.1"
 * ```
 */
export function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, GROUPS - before.length - after.length);
  const groups = [...before, ...new Array<string>(zeros).fill("0"), ...after];
  return groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}
