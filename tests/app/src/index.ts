/** An app made for the tests. */
import { contract, fn, query, service, tidegate } from "../../../index.ts";
import { z } from "zod";

const Counter = contract("counter", { add: fn({ input: z.number(), output: z.number() }), value: query({ output: z.number() }) });
const counter = service(Counter, { state: () => ({ n: 0 }) }, { add: (ctx, by) => (ctx.state.n += by), value: (ctx) => ctx.state.n });

const app = tidegate({ services: [counter] });
export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export default app.handler;
