/** What admission is made of, and what it asks of its partition. */
import type { Kernels } from "../../core-wasm/types.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import type { Ownership } from "../moves/ownership.ts";
import type { Observer } from "../observe/observer.ts";
import type { Ending } from "../outbox/ending.ts";
import type { Results } from "../results/results.ts";
import type { Peer } from "../wire/messages.ts";
import type { RequestIdentity } from "./request-identity.ts";
import type { Room } from "./room.ts";
import type { Root } from "./root.ts";
import type { Tickets } from "./tickets.ts";

export interface AdmissionSetup {
  readonly app: AppDefinition;
  readonly kernels: Kernels;
  readonly partition: number;
  readonly observer?: Observer;
}

export interface AdmissionParts {
  readonly ownership: Ownership;
  readonly results: Results;
  readonly tickets: Tickets;
  /** The app with its internal services. */
  readonly whole: AppDefinition;
  start(root: Root): void;
  /** The transaction of a message has its answer, or cannot run now. */
  posted(poster: Peer, requestId: string, ending: Ending): void;
  /** The answer to this is final, though nothing ran. */
  record(id: RequestIdentity, status: number, body: string): void;
  room(): Room;
}

/** Whether an unknown request is too old to be run. Of a key that is kept elsewhere that is known there. */
export function isExpired({ results, ownership }: AdmissionParts, requestId: string, key: () => string, now: number) {
  // Nearly none is, whatever its key.
  if (!results.isExpired(requestId, now)) return false;
  const group = ownership.groupOf(key());
  return ownership.keeps(group) && results.isExpired(requestId, now, group);
}
