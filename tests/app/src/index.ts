/** An app made for the tests: services that exercise everything, under keys of the tests' choice. */
import { tidegate } from "../../../index.ts";
import { programServices } from "../../../sim/program-services.ts";
import { account } from "./account.ts";
import { bank } from "./bank.ts";
import { diary } from "./diary.ts";
import { salesPerSecond } from "./flow.ts";
import { ledger, mirror } from "./ledger.ts";
import { lists } from "./lists.ts";
import { mail } from "./mail.ts";
import { PARTITIONS } from "./partitions.ts";
import { counter, emitter, Noted, operatorFlows } from "./operators.ts";
import { pause } from "./pause.ts";
import { table } from "./table.ts";
import { unruly } from "./unruly.ts";
import { values } from "./values.ts";

const app = tidegate({
  services: [
    account,
    values,
    ledger,
    mirror,
    unruly,
    bank,
    table,
    lists,
    mail,
    diary,
    counter,
    emitter,
    ...programServices(pause),
  ],
  flows: [salesPerSecond, ...operatorFlows],
  queues: { "note-queue": Noted },
  partitions: PARTITIONS,
});
export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export default app.handler;
