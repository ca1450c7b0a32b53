/** An app made for the tests: services that exercise everything, under keys of the tests' choice. */
import { tidegate } from "../../../index.ts";
import { programServices } from "../../../sim/program-services.ts";
import { account } from "./account.ts";
import { salesPerSecond } from "./flow.ts";
import { ledger, mirror } from "./ledger.ts";
import { unruly } from "./unruly.ts";
import { values } from "./values.ts";

/** Tests of a changed configuration replace this line in the bundle. */
const PARTITIONS = 4;
/** Taken before the engine guards it, so that tests can hold a transaction open for a while. */
const timer = globalThis.setTimeout.bind(globalThis);

async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => timer(resolve, ms));
  else for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

const app = tidegate({
  services: [account, values, ledger, mirror, unruly, ...programServices(pause)],
  flows: [salesPerSecond],
  partitions: PARTITIONS,
});
export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export default app.handler;
