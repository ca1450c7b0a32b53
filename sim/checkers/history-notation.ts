/**
 * A small language for histories, so that a test shows an anomaly as the literature does (Adya 1999; Hermitage, Kleppmann 2014).
 *
 *     T1: ax1 ay1              # one whole transaction: appends 1 to x and 1 to y
 *     T2: rx[1] || T3: ax2     # two that overlap; both begin after T1 was answered
 *     T4 begin                 # T4 is open from here ...
 *     T5: rx[1 2]
 *     T4: ry[1]                # ... does a step ...
 *     T4: ay2 end              # ... another, and is answered
 *     T6: ax3 fail             # aborted
 *     T7: ax4 ry? lost         # nobody knows whether it committed, nor what it read
 *
 * Lines are moments: what stands on one line overlaps, and each line begins after the one above has ended. A transaction without
 * `begin` begins on its first line; one that was opened by `begin` lasts until `end`, `fail` or `lost`, and any other ends on its
 * line. Keys are lower-case letters, values whole numbers. `#` starts a comment. Every transaction is a process of its own.
 */
import type { History, MicroOp, Operation } from "./history.ts";

const STEP = /\s*(?:a([a-z]+?)(\d+)|r([a-z]+?)(?:\[([\d\s,]*)\]|(\?))|(begin|end|fail|lost))(?=\s|$)/y;
const PART = /^\s*(\w+)\s*:?(?:\s+|$)(.*)$/;

interface Part {
  readonly name: string;
  readonly steps: readonly MicroOp[];
  readonly words: readonly string[];
}

export function parseHistory(text: string): History {
  const parser = new Parser();
  for (const line of text.split("\n")) {
    const written = line.replace(/#.*/, "");
    if (written.trim() !== "") parser.line(written.split("||").map(parsePart));
  }
  return parser.history();
}

interface Open {
  readonly name: string;
  readonly begun: number;
  readonly micro: MicroOp[];
}

class Parser {
  /** In the order in which they began; null while they are open. */
  readonly #operations = new Map<string, Operation | null>();
  readonly #open = new Map<string, Open>();
  #events = 0;

  line(parts: readonly Part[]): void {
    const whole = parts.filter(({ name, words }) => !this.#open.has(name) && !words.includes("begin"));
    for (const { name } of parts) if (!this.#open.has(name)) this.#begin(name);
    for (const { name, steps } of parts) this.#open.get(name)?.micro.push(...steps);
    for (const part of parts) {
      const word = part.words.find((each) => each !== "begin") ?? (whole.includes(part) ? "end" : undefined);
      if (word !== undefined) this.#end(part.name, word);
    }
  }

  history(): History {
    return Array.from(this.#operations, ([name, operation]) => {
      if (!operation) throw new Error(`${name} begins and has no end; say "lost" if nobody knows it`);
      return operation;
    });
  }

  #begin(name: string): void {
    if (this.#operations.has(name)) throw new Error(`${name} has ended and goes on`);
    this.#operations.set(name, null);
    this.#open.set(name, { name, begun: this.#events++, micro: [] });
  }

  #end(name: string, word: string): void {
    const open = this.#open.get(name);
    if (!open) throw new Error(`${name} stands twice on a line`);
    this.#open.delete(name);
    this.#operations.set(name, {
      name,
      process: name,
      invoked: { index: open.begun, time: open.begun },
      completed: { index: this.#events, time: this.#events },
      outcome: word === "end" ? "ok" : word === "fail" ? "fail" : "info",
      micro: open.micro,
    });
    this.#events += 1;
  }
}

function parsePart(text: string): Part {
  const [, name = "", rest = ""] = PART.exec(text) ?? [];
  if (name === "") throw new Error(`no transaction in "${text.trim()}"`);
  const steps: MicroOp[] = [];
  const words: string[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < rest.trimEnd().length) {
    const from = STEP.lastIndex;
    const match = STEP.exec(rest);
    if (!match) throw new Error(`"${rest.slice(from)}" of ${name} is no step`);
    const [, appended, value, read, values, unseen, word] = match;
    if (appended !== undefined) steps.push(["append", appended, Number(value)]);
    else if (read !== undefined) steps.push(["read", read, unseen ? null : numbers(values ?? "")]);
    else if (word !== undefined) words.push(word);
  }
  return { name, steps, words };
}

function numbers(text: string): number[] {
  return (text.match(/\d+/g) ?? []).map(Number);
}
