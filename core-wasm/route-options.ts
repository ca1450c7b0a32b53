/** What the façade and its twin require of the options of a batch. */
import type { RouteOptions } from "./types.ts";

export const EDGE_ID_CHARACTERS = 24;
export const SCOPE_BYTES = 16;
const COLUMNS = 4;
const FIELDS = 5;

/** Checks what the kernel relies on. @throws RangeError */
export function checkRouteOptions(options: RouteOptions): void {
  const { spec, groups, edgeId, clientScope, maxRows } = options;
  if (spec.columns !== COLUMNS || spec.fields !== FIELDS) {
    throw new RangeError(
      `a routed frame has ${COLUMNS} columns and ${FIELDS} fields, not ${spec.columns} and ${spec.fields}`,
    );
  }
  const count = groups.length;
  if (count === 0 || (count & (count - 1)) !== 0)
    throw new RangeError(`key groups must be a power of two, not ${count}`);
  if (!/^[\x21-\x7e]{24}$/.test(edgeId)) {
    throw new RangeError(`an edge id has ${EDGE_ID_CHARACTERS} visible ASCII characters, not "${edgeId}"`);
  }
  if (clientScope && clientScope.length !== SCOPE_BYTES) {
    throw new RangeError(`a client scope has ${SCOPE_BYTES} bytes, not ${clientScope.length}`);
  }
  if (!(maxRows >= 1)) throw new RangeError(`a frame needs room for a row, not ${maxRows}`);
}
