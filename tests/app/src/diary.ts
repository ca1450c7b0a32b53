/** Texts of persons: in a value, in entries, in results, and in messages that never arrive. */
import { collection, contract, fn, query, service } from "../../../sdk/index.ts";
import * as z from "zod";

const text = z.string();

export const Diary = contract("diary", {
  /** Keeps a text as the last and as a page, and returns it. */
  write: fn({ input: z.object({ text }), output: text }),
  read: query({ output: z.object({ last: text, pages: z.array(text) }) }),
  /** Sends a text to a key that will never take it. */
  pass: fn({ input: z.object({ to: z.string(), text }) }),
  never: fn({ input: z.object({ text }) }),
});

export const diary = service(
  Diary,
  { state: () => ({ last: "" }), collections: { pages: collection<string, number>() } },
  {
    write(ctx, { text: written }) {
      ctx.state.last = written;
      const [page] = ctx.collections.pages.range({ reverse: true, limit: 1 });
      ctx.collections.pages.set((page?.[0] ?? 0) + 1, written);
      return written;
    },
    read: (ctx) => ({ last: ctx.state.last, pages: ctx.collections.pages.range().map(([, page]) => page) }),
    pass(ctx, { to, text: passed }) {
      ctx.send(Diary, to).never({ text: passed });
    },
    never() {
      throw new Error("not today");
    },
  },
);
