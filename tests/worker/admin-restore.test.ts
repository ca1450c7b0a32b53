/** What the edge asks of partitions for a restore: partitions that refuse, and edges that are lost, leave none of them waiting or half empty. */
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import type { AdminAsk } from "../../protocol/backup/asks.ts";
import { Restore, RestoreRefused } from "../../protocol/backup/restore.ts";
import { BACKUP_ROW, encodeTable, jsonRow, WHOLE } from "../../protocol/backup/table.ts";
import { encodeMap, initialMap } from "../../protocol/keygroups/map.ts";
import { problemOf } from "../../sdk/problems.ts";
import { kernels } from "../protocol/support/lone-partition.ts";
import { FakeBackend } from "./support/backend.ts";
import { edge, problemIn } from "./support/edge.ts";

const PARTITIONS = 4;
const headers = { authorization: "Bearer an-admin-token" };

/** As a partition has it: what it stores of a restore, and instances that come and go. */
class Partition {
  isUsed = false;
  isMoving = false;
  /** How long the instance goes on that has taken a backup. */
  leavesMs = 0;
  asked = 0;
  readonly #self: number;
  #mark: string | undefined;
  #restore: Restore;

  constructor(self: number) {
    this.#self = self;
    this.#restore = this.#start();
  }

  #start(): Restore {
    const persist = (ops: readonly object[]): void => {
      for (const op of ops as readonly { op: string; name?: string; value?: string }[]) {
        if (op.op === "wipe") this.isUsed = false;
        if (op.name === "restore") this.#mark = op.value;
      }
    };
    return new Restore(this.#mark, {
      kernels,
      self: this.#self,
      incarnation: 1,
      unused: () => (this.isUsed ? null : []),
      take: (_writes, _results, ops) => persist(ops),
      persist,
      newestSeq: () => 0,
    });
  }

  admin(ask: AdminAsk): object {
    this.asked += 1;
    if (this.isMoving) return refused(problemOf("keys-moving", "key groups are moving"));
    try {
      return { status: 200, body: JSON.stringify(this.#do(ask)) };
    } catch (error) {
      if (error instanceof RestoreRefused) return refused(problemOf(error.type, error.message));
      throw error;
    }
  }

  #do(ask: AdminAsk): object {
    const restore = this.#restore;
    if (ask.op === "restore") return restore.begin(ask.id);
    if (ask.op === "restore-table") return restore.table(ask.id, ask.bytes);
    if (ask.op === "restore-end") {
      const told = restore.end(ask.id);
      if (this.leavesMs === 0) this.#restore = this.#start();
      else setTimeout(() => (this.#restore = this.#start()), this.leavesMs);
      return told;
    }
    if (ask.op !== "restore-stop") return {};
    const restarts = restore.stop(ask.id, ask.untouched);
    this.#restore = this.#start();
    return { restarts };
  }

  get state(): "empty" | "used" | "staging" | "done" {
    if (this.#restore.isStaging) return "staging";
    return this.#mark === undefined || this.#mark === "" ? (this.isUsed ? "used" : "empty") : "done";
  }
}

const refused = (problem: { status: number }): object => ({ status: problem.status, body: JSON.stringify(problem) });

const whole = (row: ReturnType<typeof jsonRow>, number: number): Uint8Array =>
  encodeTable(kernels, { id: "b", partition: WHOLE, number, rows: [row], tail: new Uint8Array(0) });
const info = { format: 1, at: 0, partitions: PARTITIONS, map: encodeMap(initialMap(PARTITIONS)) } as const;
const end = { pairs: 0, results: 0, incarnation: 1, decided: 0, forgotten: "" };
const tables = [
  whole(jsonRow(BACKUP_ROW.info, info), 0),
  ...Array.from({ length: PARTITIONS }, (_, partition) => {
    const rows = [jsonRow(BACKUP_ROW.end, end)];
    return encodeTable(kernels, { id: "b", partition, number: 0, rows, tail: new Uint8Array(0) });
  }),
  whole(jsonRow(BACKUP_ROW.trailer, { tables: PARTITIONS }), 1),
];

let partitions: Partition[];
/** What an ask of a partition waits for. */
let waits: (at: number, ask: AdminAsk) => Promise<void> | undefined;
beforeEach(() => {
  partitions = Array.from({ length: PARTITIONS }, (_, self) => new Partition(self));
  waits = () => undefined;
});
const states = (): string[] => partitions.map(({ state }) => state);

function ask(method: string, path: string, body?: BodyInit): Promise<Response> {
  const admin = async (at: number, one: AdminAsk): Promise<object | undefined> => {
    await waits(at, one);
    return partitions[at]?.admin(one);
  };
  const partition = (at: number) => ({ admin: (one: AdminAsk) => admin(at, one), scrub: () => true });
  const backend = Object.assign(new FakeBackend(), { admin: { token: "an-admin-token", partition } });
  const sent = body === undefined ? {} : { body };
  const streamed = body instanceof ReadableStream ? { duplex: "half" } : {};
  return edge(backend as never).ask(path, { method, headers, ...sent, ...streamed });
}
const send = (some = tables): Promise<Response> =>
  ask("POST", "/admin/restore", new Blob(some as Uint8Array<ArrayBuffer>[]));
const giveUp = (): Promise<Response> => ask("DELETE", "/admin/restore?id=b");
/** As an edge does that is lost on the way. */
function asEdge(...asks: readonly (readonly [number, AdminAsk])[]): void {
  for (const [at, one] of asks) partitions[at]?.admin(one);
}
const begin = (at: number) => [at, { op: "restore", id: "b" }] as const;
const staged = (at: number) => [at, { op: "restore-table", id: "b", bytes: tables[at + 1] as Uint8Array }] as const;

describe("a restore", () => {
  it("is served by all once it is through", async () => {
    expect((await send()).status).toBe(200);
    expect(states()).toEqual(["done", "done", "done", "done"]);
  });

  it("leaves partitions the time to start over", async () => {
    for (const partition of partitions) partition.leavesMs = 200;
    expect((await send()).status).toBe(200);
    expect(states()).toEqual(["done", "done", "done", "done"]);
    for (const { asked } of partitions) expect(asked).toBeLessThan(30);
  });

  it.each(["isUsed", "isMoving"] as const)(
    "that one partition refuses leaves the others as they were: %s",
    async (why) => {
      partitions[1]![why] = true;
      const { type } = await problemIn(await send());
      expect(type).toBe(why === "isUsed" ? "/problems/domain-not-empty" : "/problems/keys-moving");
      expect(states()).toEqual(["empty", why === "isUsed" ? "used" : "empty", "empty", "empty"]);
    },
  );

  it("that is refused at its first table is read to its end: before, who sends it may not hear of that", async () => {
    partitions[1]!.isUsed = true;
    const [first, ...others] = tables as [Uint8Array, ...Uint8Array[]];
    let told = false;
    const copy = new TransformStream<Uint8Array, Uint8Array>();
    const writer = copy.writable.getWriter();
    const answer = ask("POST", "/admin/restore", copy.readable as ReadableStream<Uint8Array<ArrayBuffer>>);
    void answer.then(() => (told = true));
    await writer.write(first);
    await sleep(50);
    expect(told).toBe(false);
    for (const table of others) void writer.write(table);
    void writer.close();
    expect((await problemIn(await answer)).type).toBe("/problems/domain-not-empty");
  });

  it("that goes on is not forgotten since a partition refuses, which says what waits", async () => {
    asEdge(begin(0), begin(1), begin(2), staged(0), staged(2));
    partitions[3]!.isUsed = true;
    const { type, detail } = await problemIn(await send());
    expect([type, detail]).toEqual(["/problems/domain-not-empty", expect.stringContaining("backup b,")]);
    expect(states()).toEqual(["staging", "staging", "staging", "used"]);
    expect((await giveUp()).status).toBe(200);
    expect(states()).toEqual(["empty", "empty", "empty", "used"]);
  });

  it("of which some serve already is not given up: nothing is forgotten, and the same backup ends it", async () => {
    asEdge(...[0, 1, 2, 3].flatMap((at) => [begin(at), staged(at)]), [0, { op: "restore-end", id: "b" }]);
    expect((await problemIn(await giveUp())).type).toBe("/problems/domain-not-empty");
    expect(states()).toEqual(["done", "staging", "staging", "staging"]);
    expect((await send()).status).toBe(200);
    expect(states()).toEqual(["done", "done", "done", "done"]);
  });

  it("that is decided is not wiped by a copy of it that is cut short", async () => {
    const atEnd = Promise.withResolvers<void>();
    const goesOn = Promise.withResolvers<void>();
    waits = (at, { op }) => {
      if (at !== 1 || op !== "restore-end") return undefined;
      atEnd.resolve();
      return goesOn.promise;
    };
    const copy = new TransformStream<Uint8Array, Uint8Array>();
    const writer = copy.writable.getWriter();
    const cut = ask("POST", "/admin/restore", copy.readable as ReadableStream<Uint8Array<ArrayBuffer>>);
    await writer.write(tables[0] as Uint8Array);
    const sound = send();
    await atEnd.promise;
    await writer.close();
    expect((await problemIn(await cut)).type).toBe("/problems/invalid-backup");
    goesOn.resolve();
    expect((await sound).status).toBe(200);
    expect(states()).toEqual(["done", "done", "done", "done"]);
  });

  it("of another backup is not stopped by one that was never begun", async () => {
    asEdge(begin(0));
    expect((await ask("DELETE", "/admin/restore?id=c")).status).toBe(200);
    expect(states()).toEqual(["staging", "empty", "empty", "empty"]);
  });
});
