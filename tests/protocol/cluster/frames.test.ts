/** Rows of one frame with one key run in order, whatever comes between (T3). */
import { expect, test } from "vitest";
import { COORDINATOR } from "../../../protocol/wire/messages.ts";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import type { Place, Step } from "../../../sim/program.ts";
import { add, on, read } from "../../workerd/support/steps.ts";
import { Cluster, isOf } from "../support/cluster.ts";
import { kernels } from "../support/lone-partition.ts";

interface Line {
  readonly at: Place;
  readonly name: string;
  readonly steps: readonly Step[] | null;
  readonly flags: number;
}

function frameOf(lines: readonly Line[]): Uint8Array {
  const columns = lines.flatMap(({ flags }, line) => [line + 1, INVOKE_FLAG.clientId | flags, line, 0]);
  const fields = lines.flatMap(({ at, name, steps }, line) => {
    const id = `cf${line.toString(16).padStart(30, "0")}`;
    return [id, at[0], at[1], name, JSON.stringify({ steps })];
  });
  return kernels.pack(INVOKE, { rows: lines.length, columns, fields });
}

test.each([
  ["a snapshot", { name: "look", steps: [read], flags: INVOKE_FLAG.snapshot }, 200],
  ["one that cannot be read", { name: "run", steps: null, flags: 0 }, 422],
])(
  "a row that runs again runs before what is behind it, though %s between them has its answer",
  async (_what, between, status) => {
    const c = await Cluster.up(2);
    // From here on there is a boundary for snapshots.
    await c.ask(c.place(0), [on("call", c.place(1), add(1))]);
    await c.settle();
    const [, key] = c.place(0, 1);
    const answers = await c.give(0, {
      kind: "invoke",
      frame: frameOf([
        // While it waits for the other partition, its key of the other service is free.
        {
          at: ["pb", key],
          name: "run",
          steps: [on("call", c.place(1), add(5)), on("call", ["pa", key], add(1))],
          flags: 0,
        },
        { at: ["pa", key], ...between },
        { at: ["pa", key], name: "run", steps: [read], flags: 0 },
      ]),
    });
    // The first row has its epoch, the second its answer.
    await c.run(isOf("prepare", COORDINATOR, 1));
    await c.restart(1);
    await c.settle();
    const found = answers() ?? [];
    expect(found.map((answer) => answer.status)).toEqual([200, status, 200]);
    expect(JSON.parse(found[2]?.body ?? "null")).toEqual([expect.objectContaining({ n: 1 })]);
  },
);
