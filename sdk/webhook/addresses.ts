/** Which IP addresses are of the public internet (IANA special-purpose registries): all else is somebody's inside. */

const DOTTED = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** An IPv4 block: its first address, and the bits that all in it share. */
type Block4 = readonly [first: number, bits: number];

const NOT_PUBLIC_4: readonly Block4[] = (
  [
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.0.0.0", 24],
    ["192.0.2.0", 24],
    ["192.88.99.0", 24],
    ["192.168.0.0", 16],
    ["198.18.0.0", 15],
    ["198.51.100.0", 24],
    ["203.0.113.0", 24],
    ["224.0.0.0", 4],
    ["240.0.0.0", 4],
  ] as const
).map(([text, bits]) => [number4(text) ?? 0, bits]);

function number4(text: string): number | null {
  const parts = DOTTED.exec(text)?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return null;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

function isPublic4(address: number): boolean {
  return !NOT_PUBLIC_4.some(([first, bits]) => Math.floor(address / 2 ** (32 - bits)) === first / 2 ** (32 - bits));
}

/** Eight groups of 16 bits; null for what is no IPv6 address. */
function groups6(text: string): number[] | null {
  const lastColon = text.lastIndexOf(":");
  const tail = text.slice(lastColon + 1);
  const four = tail.includes(".") ? number4(tail) : null;
  if (tail.includes(".") && four === null) return null;
  const plain = four === null ? text : `${text.slice(0, lastColon + 1)}${hex(four >>> 16)}:${hex(four & 0xffff)}`;
  const halves = plain.split("::");
  if (halves.length > 2) return null;
  const [left = [], right = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - right.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const all = [...left, ...Array.from({ length: missing }, () => "0"), ...right];
  return all.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) ? all.map((group) => Number.parseInt(group, 16)) : null;
}

function hex(value: number): string {
  return value.toString(16);
}

function isPublic6(groups: readonly number[]): boolean {
  const [a = 0, b = 0, c = 0, , , , g = 0, h = 0] = groups;
  const embedded = g * 0x1_0000 + h;
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  // NAT64 and 6to4 lead to the IPv4 address that they name.
  const isNat64 = a === 0x64 && b === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  if (mapped || isNat64) return isPublic4(embedded);
  if (a === 0x2002) return isPublic4(b * 0x1_0000 + c);
  // Of 2000::/3, what is global unicast: not Teredo, ORCHID, benchmarks and documentation.
  if (a < 0x2000 || a > 0x3fff) return false;
  if (a === 0x2001 && (b < 0x200 || b === 0xdb8)) return false;
  return !(a === 0x3fff && b < 0x1000);
}

/** False for an address of a private, local or reserved network, and for what is no address. */
export function isPublicAddress(address: string): boolean {
  const four = number4(address);
  if (four !== null) return isPublic4(four);
  const groups = groups6(address.replace(/^\[(.*)\]$/, "$1"));
  return groups !== null && isPublic6(groups);
}

/** Whether a host, as URLs have it after they are parsed, is an address rather than a name: parsing turns all forms of IPv4 into the dotted one. */
export function isAddress(host: string): boolean {
  return host.startsWith("[") || number4(host) !== null;
}
