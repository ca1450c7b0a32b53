/** Erases a key as `POST /admin/erase` does, while everything goes wrong: messages in every partition, a transaction that clears it, and then the traces. */
import type { EraseAnswer } from "../../protocol/backup/asks.ts";
import type { RescaleStatus } from "../../protocol/coordinator/rescaling.ts";
import { Client, type ClientSetup } from "../clients/client.ts";
import type { Transaction } from "../clients/transaction.ts";
import { createRandom } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { tracesOf } from "../checkers/traces.ts";
import { AdminLine } from "./line.ts";

const PAUSE_MS = 20;

export class Eraser {
  readonly #setup: ClientSetup;
  readonly #key: string;
  readonly #word: string;
  readonly #first: number;
  readonly #line: AdminLine;
  #attempts = 0;
  isDone = false;

  /**
   * @param word is in all that the key was told
   * @param first number of a transaction that nobody else has
   */
  constructor(setup: ClientSetup, key: string, word: string, first: number) {
    this.#first = first;
    this.#word = word;
    this.#setup = setup;
    this.#key = key;
    this.#line = new AdminLine(setup.world, createRandom(deriveSeed(setup.world.seed, 29)));
  }

  /** From the beginning; key groups that move send it back to here. */
  start(): void {
    this.#setup.world.count("erasing begun");
    this.#line.rescaleStatus((before) => {
      if (before.phase === "still") this.#ask("erase-messages", before, () => this.#clear(before));
      else this.#later(() => this.start());
    });
  }

  #later(act: () => void): void {
    this.#setup.world.scheduler.in(PAUSE_MS, act);
  }

  #clear(before: RescaleStatus): void {
    const number = this.#first + this.#attempts++;
    const ask = { kind: "erase", key: this.#key } as const;
    const transaction: Transaction = { number, ask, snapshot: false, clientId: true, after: 0 };
    const traces = (): void => this.#ask("erase", before, () => this.#end(before));
    new Client(this.#setup, number, [[transaction]], traces).next();
  }

  /** Of all partitions that there ever were: those that keep nothing any more may have traces of what they kept. */
  #ask(op: "erase-messages" | "erase", before: RescaleStatus, then: () => void): void {
    const partitions = Math.max(before.known, before.partitions);
    let left = partitions;
    let hasMoved = false;
    const done = (): void => {
      left -= 1;
      if (left > 0) return;
      if (hasMoved) this.#later(() => this.start());
      else then();
    };
    const ask = (partition: number): void =>
      this.#line.ask(partition, { op, service: "tx", key: this.#key }, (answer) => {
        if (answer instanceof Uint8Array) return;
        if (answer.status !== 200) {
          hasMoved = true;
          done();
        } else if ((answer.value as EraseAnswer).done) done();
        else this.#later(() => ask(partition));
      });
    for (let partition = 0; partition < partitions; partition++) ask(partition);
  }

  /** What moved meanwhile may have come to a partition that was done. */
  #end(before: RescaleStatus): void {
    this.#line.rescaleStatus((after) => {
      if (after.phase !== "still" || after.version !== before.version) this.#later(() => this.start());
      else this.#see();
    });
  }

  #see(): void {
    const { world } = this.#setup;
    this.isDone = true;
    world.count("key erased");
    for (const { name, disk } of world.partitions) {
      const traces = tracesOf(this.#word, disk);
      if (traces.length > 0) world.fail(`erased and still there: ${name} has it in ${traces.join(", ")}`);
    }
  }
}
