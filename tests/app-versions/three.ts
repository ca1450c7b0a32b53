/** The third version: names are a list since the second, and what was seen is counted by kind since the third; notes are objects since the third. */
import { tidegate } from "../../index.ts";
import { collection, service } from "../../sdk/index.ts";
import { Person } from "./contract.ts";

interface Note {
  readonly text: string;
  readonly lang: string;
}

const person = service(
  Person,
  {
    version: 3,
    state: () => ({ names: [] as string[], seen: { total: 0 } }),
    collections: { notes: collection<Note, number>() },
    evolve: {
      2: ({ name, seen }: { name: string; seen: number }) => ({ names: name === "" ? [] : [name], seen }),
      3: (old: { names: string[]; seen: number }) => ({ ...old, seen: { total: old.seen } }),
    },
    evolveEntries: { notes: { 3: (text: string) => ({ text, lang: "en" }) } },
  },
  {
    name(ctx, { name }) {
      ctx.state.names.push(name);
      ctx.state.seen.total += 1;
    },
    note(ctx, { at, text }) {
      ctx.state.seen.total += 1;
      ctx.collections.notes.set(at, { text, lang: "de" });
    },
    noteBlindly: (ctx, { at, text }) => ctx.collections.notes.set(at, { text, lang: "de" }),
    forget: (ctx) => ctx.clear(),
    show: (ctx) => ctx.state,
    notes: (ctx) => ctx.collections.notes.range(),
  },
);

const app = tidegate({ services: [person], partitions: 2 });
export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export default app.handler;
