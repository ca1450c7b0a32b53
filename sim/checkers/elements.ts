/** What single reads show that no committed transaction can have left: Elle, section 4.2 and its "G1a, G1b, dirty update" cases. */
import type { Finding } from "./finding.ts";
import { formatValues, type History, type Key, type Value } from "./history.ts";
import { type KeyVersions, type Read, repeatedValue, type Write } from "./versions.ts";

export type ElementAnomaly = "duplicate-elements" | "incompatible-order" | "unwritten" | "G1a" | "G1b" | "dirty-update";

type ElementFinding = Finding<ElementAnomaly>;

export function checkElements(history: History, versions: readonly KeyVersions[]): ElementFinding[] {
  return versions.flatMap((of) => new ElementCheck(history, of).run());
}

/** One finding for each value or key: what thousands of reads repeat is said once. */
class ElementCheck {
  readonly #history: History;
  readonly #of: KeyVersions;
  readonly #key: Key;
  readonly #findings: ElementFinding[] = [];
  readonly #told = new Set<Value>();

  constructor(history: History, of: KeyVersions) {
    this.#history = history;
    this.#of = of;
    this.#key = of.key;
  }

  run(): ElementFinding[] {
    const { longest, prefixes, strays } = this.#of;
    this.#duplicates();
    this.#incompatible();
    // Prefixes of the longest show no other values than it does.
    for (const read of longest ? [longest, ...strays] : strays) this.#origins(read);
    const ends = new Set<Value>();
    for (const read of [...prefixes, ...strays]) this.#intermediate(read, ends);
    this.#dirtyUpdates();
    return this.#findings;
  }

  #duplicates(): void {
    for (const read of this.#of.strays) {
      const value = repeatedValue(read.values);
      if (value === undefined) continue;
      const text = `${this.#name(read.by)} read ${this.#shown(read)}, which has ${value} more than once`;
      this.#add("duplicate-elements", text, read.by);
      return;
    }
  }

  #incompatible(): void {
    const { longest, strays } = this.#of;
    const stray = strays.find(({ values }) => repeatedValue(values) === undefined);
    if (!stray || !longest) return;
    const text = `${this.#name(stray.by)} read ${this.#shown(stray)} and ${this.#name(longest.by)} read ${this.#shown(longest)}: neither is a prefix of the other`;
    this.#add("incompatible-order", text, stray.by, longest.by);
  }

  #origins(read: Read): void {
    for (const value of read.values) {
      const write = this.#of.writes.get(value);
      if (this.#told.has(value) || (write && !this.#failed(write))) continue;
      this.#told.add(value);
      const text = `${this.#name(read.by)} read ${this.#shown(read)}`;
      if (!write) this.#add("unwritten", `${text}, and nobody appended ${value}`, read.by);
      else this.#add("G1a", `${text} with ${value} of ${this.#name(write.by)}, which aborted`, read.by, write.by);
    }
  }

  /** Only the end of a list can be a state between two appends of one transaction; in its middle that is a cycle. */
  #intermediate(read: Read, ends: Set<Value>): void {
    const value = read.values.at(-1);
    if (value === undefined || ends.has(value)) return;
    const write = this.#of.writes.get(value);
    if (!write || write.final || write.by === read.by) return;
    ends.add(value);
    const text = `${this.#name(read.by)} read ${this.#shown(read)}, whose last value is not the last that ${this.#name(write.by)} appended to ${this.#key}`;
    this.#add("G1b", text, read.by, write.by);
  }

  #dirtyUpdates(): void {
    let aborted: Write | undefined;
    for (const value of this.#of.order) {
      const write = this.#of.writes.get(value);
      if (!write) continue;
      if (this.#failed(write)) aborted ??= write;
      else if (aborted) {
        const text = `${this.#name(write.by)} appended ${value} to ${this.#key} upon ${aborted.value} of ${this.#name(aborted.by)}, which aborted`;
        this.#add("dirty-update", text, aborted.by, write.by);
        return;
      }
    }
  }

  #add(anomaly: ElementAnomaly, explanation: string, ...by: readonly number[]): void {
    this.#findings.push({ anomaly, explanation, operations: [...new Set(by)].map((each) => this.#name(each)) });
  }

  #failed(write: Write): boolean {
    return this.#history[write.by]?.outcome === "fail";
  }

  #name(by: number): string {
    return this.#history[by]?.name ?? "nobody";
  }

  #shown(read: Read): string {
    return `${this.#key} ${formatValues(read.values)}`;
  }
}
