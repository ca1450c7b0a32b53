/**
 * Names of the objects of a domain: `coordinator` and `partition-0`, and for a tenant's domain `coordinator@acme` and `partition-0@acme`. A name is
 * all that an object knows of its domain, and it speaks to none of another.
 */
import type { Placement } from "../../sdk/door.ts";

const NAME = /^(?:coordinator|partition-(\d{1,3}))(?:@(.+))?$/s;

/** The domain of no tenant. */
export const OWN_DOMAIN = "";

export function coordinatorName(tenant: string): string {
  return `coordinator${suffixOf(tenant)}`;
}

export function partitionName(tenant: string, partition: number): string {
  return `partition-${partition}${suffixOf(tenant)}`;
}

function suffixOf(tenant: string): string {
  return tenant === OWN_DOMAIN ? "" : `@${tenant}`;
}

/** What an object's name says of it. @throws Error for a name of another form: such an object would speak to the wrong ones */
export function readName(name: string | undefined): { readonly tenant: string; readonly partition: number | null } {
  const [matched, partition, tenant = OWN_DOMAIN] = NAME.exec(name ?? "") ?? [];
  if (matched === undefined)
    throw new Error(`an object of a domain needs a name like partition-0 or coordinator, not ${String(name)}`);
  return { tenant, partition: partition === undefined ? null : Number(partition) };
}

/** What is used of a namespace of Durable Objects. */
export interface ObjectNamespace<T> {
  getByName(name: string, options?: { readonly locationHint?: string }): T;
  jurisdiction?(jurisdiction: string): ObjectNamespace<T>;
}

/** An object where its domain is to be. An id belongs to its jurisdiction: asked for without it, another object would answer. */
export function placedObject<T>(namespace: ObjectNamespace<T>, name: string, placement: Placement | undefined): T {
  if (placement === undefined) return namespace.getByName(name);
  const { jurisdiction, locationHint } = placement;
  const within = jurisdiction === undefined ? namespace : namespace.jurisdiction?.(jurisdiction);
  if (within === undefined) throw new Error("the platform has no jurisdictions here");
  return locationHint === undefined ? within.getByName(name) : within.getByName(name, { locationHint });
}
