/** What the simulator says of a network and a storage that take their time: round trip 2 ms, confirmation 10 ms. */
import type { Row } from "../../lib/report.ts";

/** Has no rows until `sim/` runs the machines of a transfer under that model. */
export async function modelRows(): Promise<Row[]> {
  return [];
}
