/** The Durable Object of the coordinator: owns the key-group map. */
import { DurableObject } from "cloudflare:workers";
import { decideMap } from "../protocol/coordinator/key-group-map.ts";
import type { KeyGroupMap } from "../protocol/keygroups/map.ts";

export type MapAnswer = { readonly map: KeyGroupMap } | { readonly refused: string };

export interface CoordinatorRpc {
  /** The domain's map; made now if it has none. Refused when the configured count differs from the stored one. */
  keyGroupMap(configured: number): Promise<MapAnswer>;
}

const TABLE = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";

/** The class to export as `Coordinator`. */
export function coordinatorClass(): new (ctx: DurableObjectState, env: unknown) => DurableObject & CoordinatorRpc {
  return class Coordinator extends DurableObject implements CoordinatorRpc {
    constructor(ctx: DurableObjectState, env: unknown) {
      super(ctx, env as never);
      ctx.storage.sql.exec(TABLE);
    }

    async keyGroupMap(configured: number): Promise<MapAnswer> {
      const { sql } = this.ctx.storage;
      const [row] = sql.exec<{ value: string }>("SELECT value FROM meta WHERE name = 'map'").toArray();
      const decision = decideMap(row?.value, configured);
      if (decision.kind === "refused") return { refused: decision.detail };
      if (decision.kind === "made") sql.exec("INSERT INTO meta VALUES ('map', ?)", decision.stored);
      return { map: decision.map };
    }
  };
}
