/** Where webhooks may go: what a customer gives as an address must not lead into the networks of whoever sends. */

import { isAddress, isPublicAddress } from "./addresses.ts";

/** What is allowed beyond https to public host names. */
export interface WebhookAllowance {
  /** Hosts, with their port where it is not the scheme's own, that are not looked at any further: `["hooks.internal:8443", "127.0.0.1:9000"]`. */
  readonly hosts?: readonly string[];
  /** These hosts may be reached by http, too. */
  readonly http?: boolean;
}

/** All addresses of a host name, IPv4 or IPv6. */
export type WebhookResolver = (host: string) => readonly string[] | Promise<readonly string[]>;

/** Names that are not of the public internet. */
const INNER = ["localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "private", "arpa"];

/** Why an address is refused. */
export class WebhookTargetError extends Error {
  override readonly name = "WebhookTargetError";
}

/**
 * The address, parsed.
 * @throws WebhookTargetError for one that webhooks may not go to
 */
export async function checkTarget(text: string, allow: WebhookAllowance = {}, resolve?: WebhookResolver): Promise<URL> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url) throw new WebhookTargetError("the address is no URL");
  if (url.username !== "" || url.password !== "") throw new WebhookTargetError("an address has no user and password");
  const isAllowed = allow.hosts?.includes(url.host) ?? false;
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isAllowed && allow.http === true)) {
    throw new WebhookTargetError("an address begins with https://");
  }
  if (isAllowed) return url;
  // A name may end in a dot, and is the same without.
  const host = url.hostname.replace(/\.$/, "");
  if (isAddress(host)) throw new WebhookTargetError("an address names a host, not an IP address");
  const labels = host.split(".");
  if (labels.length < 2 || labels.includes("") || INNER.includes(labels.at(-1) ?? "")) {
    throw new WebhookTargetError("an address names a host of the public internet");
  }
  if (!resolve) return url;
  const addresses = await resolve(host);
  if (addresses.length === 0) throw new WebhookTargetError(`the host ${host} has no address`);
  if (!addresses.every(isPublicAddress)) throw new WebhookTargetError(`the host ${host} is not of the public internet`);
  return url;
}
