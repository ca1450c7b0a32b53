/** The app that transfers are measured on. */
import { env } from "cloudflare:workers";
import { tidegate } from "../../index.ts";
import { account } from "./account.ts";

const PARTITIONS = 8;

const { PARTITIONS: configured } = env as { readonly PARTITIONS?: string };
const app = tidegate({ services: [account], partitions: Number(configured ?? PARTITIONS) });
export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export default app.handler;
