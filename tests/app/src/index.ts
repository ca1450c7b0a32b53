/** An app made for the tests: services that exercise everything, under keys of the tests' choice. */
import { tidegate } from "../../../index.ts";
import { programServices } from "../../../sim/program-services.ts";
import { account } from "./account.ts";
import { bank } from "./bank.ts";
import { salesPerSecond } from "./flow.ts";
import { ledger, mirror } from "./ledger.ts";
import { lists } from "./lists.ts";
import { PARTITIONS } from "./partitions.ts";
import { table } from "./table.ts";
import { unruly } from "./unruly.ts";
import { values } from "./values.ts";

/** Taken before the engine guards it, so that tests can hold a transaction open for a while. */
const timer = globalThis.setTimeout.bind(globalThis);

async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => timer(resolve, ms));
  else for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

const app = tidegate({
  services: [account, values, ledger, mirror, unruly, bank, table, lists, ...programServices(pause)],
  flows: [salesPerSecond],
  partitions: PARTITIONS,
});
export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export default app.handler;
