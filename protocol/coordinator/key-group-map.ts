/** The coordinator's part so far: it owns the key-group map, which is made once and never changed behind anybody's back. */
import { decodeMap, encodeMap, initialMap, type KeyGroupMap } from "../keygroups/map.ts";

export type MapDecision =
  | { readonly kind: "kept"; readonly map: KeyGroupMap }
  /** The first map of this domain; to be stored before it is told. */
  | { readonly kind: "made"; readonly map: KeyGroupMap; readonly stored: string }
  | { readonly kind: "refused"; readonly detail: string };

/** What the map is, given what is stored and how many partitions the configuration names. */
export function decideMap(stored: string | undefined, configured: number): MapDecision {
  if (stored === undefined) {
    const map = initialMap(configured);
    return { kind: "made", map, stored: encodeMap(map) };
  }
  const map = decodeMap(stored);
  if (map.partitions === configured) return { kind: "kept", map };
  return {
    kind: "refused",
    detail:
      `This domain was created with ${map.partitions} partitions and the configuration now says ${configured}. Keys live where the stored map ` +
      `puts them, and moving them to other partitions is not available yet: set partitions back to ${map.partitions}.`,
  };
}
