/** An app made for the tests: services that exercise everything, under keys of the tests' choice. */
import { tidegate } from "../../../index.ts";
import { programServices } from "../../../sim/program-services.ts";
import { verification } from "../../../verify/index.ts";
import { account } from "./account.ts";
import { bank } from "./bank.ts";
import { clock } from "./clock.ts";
import { diary } from "./diary.ts";
import { Arrived, arrivedFlow, letterFlow } from "./egress.ts";
import { salesPerSecond } from "./flow.ts";
import { ledger, mirror } from "./ledger.ts";
import { lists } from "./lists.ts";
import { locker } from "./locker.ts";
import { mail } from "./mail.ts";
import { effects, outside } from "./outside.ts";
import { PARTITIONS } from "./partitions.ts";
import { parcelFlow, sender } from "./fields.ts";
import { counter, emitter, Noted, operatorFlows } from "./operators.ts";
import { pause } from "./pause.ts";
import { approval, sagas, stockroom } from "./sagas.ts";
import { shortlivedServices } from "./shortlived.ts";
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
    clock,
    counter,
    diary,
    emitter,
    sender,
    locker,
    outside,
    approval,
    stockroom,
    ...shortlivedServices,
    ...verification,
    ...programServices(pause),
  ],
  flows: [salesPerSecond, parcelFlow, ...operatorFlows, letterFlow, arrivedFlow],
  queues: { "note-queue": Noted, "letters-queue": Arrived },
  effects,
  sagas,
  partitions: PARTITIONS,
  tenants: true,
});
export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export class Services extends app.Services {}
export class Effects extends app.Effects {}
export default app.handler;
