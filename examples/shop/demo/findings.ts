/** What an audit compared, and what it found wrong. */

/** Faults of one check that are shown; the others are counted. */
const SHOWN = 5;

interface Check {
  readonly what: string;
  readonly compared: number;
  readonly faults: readonly string[];
}

export class Findings {
  readonly #checks: Check[] = [];

  /** @param what is completed by the number: "answers, each as the model told it" */
  check(what: string, compared: number, faults: readonly string[]): void {
    this.#checks.push({ what, compared, faults });
  }

  get failed(): boolean {
    return this.#checks.some(({ faults }) => faults.length > 0);
  }

  /** One line for each check, and its faults under it. */
  lines(): string[] {
    return this.#checks.flatMap(({ what, compared, faults }) => {
      const line = `  ${faults.length === 0 ? "ok    " : "FAILED"}  ${compared.toLocaleString("en")} ${what}`;
      const shown = faults.slice(0, SHOWN).map((fault) => `            ${fault}`);
      const more = faults.length > SHOWN ? [`            … and ${faults.length - SHOWN} more`] : [];
      return [line, ...shown, ...more];
    });
  }
}

/** A fault as a line: what was expected and what came. */
export function differs(what: string, expected: unknown, actual: unknown): string {
  return `${what}: expected ${shown(expected)}, got ${shown(actual)}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}…`;
}
const TEXT_MAX = 400;
