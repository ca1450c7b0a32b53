/** The first version: a name, and notes that are text. */
import { tidegate } from "../../index.ts";
import { collection, service } from "../../sdk/index.ts";
import { Person } from "./contract.ts";

const person = service(
  Person,
  { state: () => ({ name: "", seen: 0 }), collections: { notes: collection<string, number>() } },
  {
    name: (ctx, { name }) => void Object.assign(ctx.state, { name, seen: ctx.state.seen + 1 }),
    note(ctx, { at, text }) {
      ctx.state.seen += 1;
      ctx.collections.notes.set(at, text);
    },
    noteBlindly: (ctx, { at, text }) => ctx.collections.notes.set(at, text),
    forget: (ctx) => ctx.clear(),
    show: (ctx) => ctx.state,
    notes: (ctx) => ctx.collections.notes.range(),
  },
);

const app = tidegate({ services: [person], partitions: 2 });
export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export default app.handler;
