/** One request to the administration of a domain: authenticated by a token of its own. */
import type { AdminBackend } from "../backend.ts";
import type { Edge } from "../edge.ts";

export interface AdminEdge extends Edge {
  readonly admin: AdminBackend;
}

export type AdminEndpoint = (edge: AdminEdge) => Promise<Response>;
