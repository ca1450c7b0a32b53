/** Orders, compared with what is remembered: each acknowledged one is there once, with its lines, and there is no other. */
import type { PlacedOrder } from "../../src/contracts.ts";
import { type Call, same } from "../calls.ts";
import type { Customer, Placed } from "../customer.ts";
import { differs, type Findings } from "../findings.ts";
import type { Http } from "../http.ts";
import { ask } from "./ask.ts";

const read = (key: string): Call => ({ service: "order", key, function: "read" });

/** Returns the orders that are stored. A customer's orders are numbered, so one that nobody was told of would be the next. */
export async function auditOrders(
  http: Http,
  findings: Findings,
  customers: readonly Customer[],
  whose: string,
): Promise<PlacedOrder[]> {
  const wanted = customers.flatMap(({ orders, nextOrder }): Array<{ id: string; order?: Placed }> => [
    ...orders.map((order) => ({ id: order.id, order })),
    { id: nextOrder },
  ]);
  const outcomes = await ask(
    http,
    wanted.map(({ id }) => read(id)),
  );
  const faults: string[] = [];
  const stored: PlacedOrder[] = [];
  for (const [at, { id, order }] of wanted.entries()) {
    const actual = outcomes[at];
    const expected = order === undefined ? { refusal: "order/unknown-order", data: null } : { result: order };
    if (actual === undefined || !same(expected, actual)) faults.push(differs(`order "${id}"`, expected, actual));
    if (actual !== undefined && "result" in actual) stored.push(actual.result as PlacedOrder);
  }
  const count = wanted.length - customers.length;
  findings.check(`orders, each there once with its lines, and none besides them, ${whose}`, count, faults);
  return stored;
}
