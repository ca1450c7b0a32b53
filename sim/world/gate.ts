/**
 * The output gate of one instance: what it has persisted and storage has not confirmed, and what it has said since, which must not
 * leave before. Groups are atomic and confirmed in order.
 */

export type Atomicity =
  /** Everything that is persisted in one turn. */
  | "turn"
  /** Each `persist`: less than the platform promises, and as much as the effect does. */
  | "persist";

interface Held {
  /** Leaves when so many groups are confirmed. */
  readonly after: number;
  readonly leave: () => void;
}

export class Gate<Op> {
  readonly #atomicity: Atomicity;
  #groups: Op[][] = [];
  #held: Held[] = [];
  #confirmed = 0;
  /** The last group still takes what this turn persists. */
  #open = false;

  constructor(atomicity: Atomicity) {
    this.#atomicity = atomicity;
  }

  persist(ops: readonly Op[]): void {
    const group = this.#open ? this.#groups.at(-1) : undefined;
    if (group) group.push(...ops);
    else this.#groups.push([...ops]);
    this.#open = this.#atomicity === "turn";
  }

  /** Lets something out, now or as soon as everything persisted so far is durable. */
  leave(leave: () => void): void {
    if (this.#groups.length === 0) leave();
    else this.#held.push({ after: this.#confirmed + this.#groups.length, leave });
  }

  /** Ends a turn. @returns number of the newest group, to be confirmed some time, or 0 when the turn persisted nothing */
  endTurn(persistedBefore: number): number {
    this.#open = false;
    const persisted = this.persisted;
    return persisted > persistedBefore ? persisted : 0;
  }

  /** Groups so far. */
  get persisted(): number {
    return this.#confirmed + this.#groups.length;
  }
  get isClean(): boolean {
    return this.#groups.length === 0;
  }

  /** Storage has confirmed the groups up to this number: they come out first, then what waited for them leaves. */
  confirm(through: number, durable: (group: readonly Op[]) => void): void {
    const count = through - this.#confirmed;
    if (count <= 0) return;
    for (const group of this.#groups.splice(0, count)) durable(group);
    this.#confirmed = through;
    let leaving = 0;
    while (leaving < this.#held.length && (this.#held[leaving] as Held).after <= through) leaving += 1;
    for (const { leave } of this.#held.splice(0, leaving)) leave();
  }

  /**
   * The instance is gone. Some first groups have become durable all the same, and some of what waited for just those has left.
   * @param keep how many of so many groups; those of a turn that was cut short count as one that cannot be kept
   * @returns whether anything is lost
   */
  crash(keep: (groups: number) => number, left: () => boolean, durable: (group: readonly Op[]) => void): boolean {
    const whole = this.#groups.length - (this.#open ? 1 : 0);
    const kept = keep(whole);
    let lost = kept < this.#groups.length;
    for (const group of this.#groups.slice(0, kept)) durable(group);
    const through = this.#confirmed + kept;
    for (const { after, leave } of this.#held) {
      if (after <= through && left()) leave();
      else lost = true;
    }
    this.#groups = [];
    this.#held = [];
    return lost;
  }
}
