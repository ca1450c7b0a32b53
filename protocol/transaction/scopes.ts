/** Scopes of tried calls across partitions: each partition that the subtree reaches keeps a mirror of the scope, to undo its own part. */
import type { Place } from "../wire/messages.ts";
import { type Activation, type Attempt, MIRROR_ID, newScope, type Scope, type Target } from "./attempt.ts";

export function scopeKey({ peer, activation }: Place): string {
  return `${peer}.${activation}`;
}

/** The scopes of tried calls around something, outermost first. */
export function placesOf(scope: Scope): Place[] {
  const places: Place[] = [];
  for (let at: Scope | null = scope; at !== null; at = at.parent) if (at.place !== null) places.unshift(at.place);
  return places;
}

/**
 * The scope that a call from another partition belongs to here, and its nearest ancestor. Scopes around `again`, the call from here that
 * its path came through last, are here already; mirrors of the others are made when they are first seen.
 */
export function enclosing(
  attempt: Attempt,
  places: readonly Place[],
  again: Activation | null,
  target: Target,
): { scope: Scope; up: Activation | null } {
  let scope = again?.scope ?? attempt.scope;
  let up = again;
  if (places.length === 0) return { scope, up };
  const here = new Set(placesOf(scope).map(scopeKey));
  for (const place of places) {
    const key = scopeKey(place);
    if (here.has(key)) continue;
    const mirror: Scope = attempt.mirrors?.get(key) ?? newMirror(attempt, place, scope, up, target);
    (attempt.mirrors ??= new Map()).set(key, mirror);
    scope = mirror;
    up = mirror.activation;
  }
  return { scope, up };
}

function newMirror(attempt: Attempt, place: Place, parent: Scope, up: Activation | null, target: Target): Scope {
  const stub: { -readonly [K in keyof Activation]: Activation[K] } = {
    id: MIRROR_ID,
    attempt,
    parent: null,
    up,
    caller: null,
    path: [],
    depth: 0,
    target,
    mode: "shared",
    scope: parent,
    input: null,
    payload: null,
    remote: null,
    calls: 0,
    children: 0,
    state: "running",
    undoing: null,
    outcome: null,
    pending: null,
  };
  const mirror = newScope(stub, parent, place);
  stub.scope = mirror;
  return mirror;
}
