/** Names of tenants as values of the header `Tidegate-Tenant`. */

/** Characters that a header does not carry as they are: `%` would be read as the beginning of another one, and spaces at its ends are dropped. */
const OTHERS = /[^!-$&-~]/gu;

/**
 * A name as the header has it: what is not printable ASCII is percent-encoded UTF-8, and so are spaces, since headers have no encoding that all agree on.
 *
 * ```ts
 * tenantHeader("acme"); // "acme"
 * tenantHeader("Zürich"); // "Z%C3%BCrich"
 * ```
 */
export function tenantHeader(name: string): string {
  return name.replace(OTHERS, encodeURIComponent);
}
