/** What folds have stored, as a plain map: a double of the blocks for tests of what lies above them. */
import type { StoredResults, StoredState } from "../../../protocol/state/reader.ts";
import { afterPrefix, compareKeys } from "../../../protocol/state/state-key.ts";

export class PlainState implements StoredState, StoredResults {
  readonly state = new Map<string, string>();
  resultBytes = { named: 0, messages: 0 };

  get(key: string): string | undefined {
    return this.state.get(key);
  }

  range(_entity: string, from: string, to: string, limit: number, reverse: boolean): Array<[string, string]> {
    const found = [...this.state].filter(([key]) => within(key, from, to)).sort(([a], [b]) => compareKeys(a, b));
    return (reverse ? found.reverse() : found).slice(0, limit);
  }

  page(from: string, limit: number): Array<[string, string]> {
    const found = [...this.state].filter(([key]) => compareKeys(key, from) >= 0);
    return found.sort(([a], [b]) => compareKeys(a, b)).slice(0, limit);
  }

  resultsFrom(): Array<[string, string]> {
    return [];
  }

  result(): string | undefined {
    return undefined;
  }

  put(key: string, change: string | null): void {
    if (change === null) this.state.delete(key);
    else this.state.set(key, change);
  }

  clear(entity: string): void {
    for (const key of this.state.keys()) if (within(key, entity, afterPrefix(entity))) this.state.delete(key);
  }
}

function within(key: string, from: string, to: string): boolean {
  return compareKeys(key, from) >= 0 && compareKeys(key, to) < 0;
}
