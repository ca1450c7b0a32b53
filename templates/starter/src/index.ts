import { tidegate } from "tidegate";
import { account } from "./account.ts";
import { visitsPerMinute } from "./visits.ts";

const app = tidegate({ services: [account], flows: [visitsPerMinute] });

export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export default app.handler;
