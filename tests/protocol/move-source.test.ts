/** What a source of a move holds in memory while its target takes nothing. */
import { expect, test } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { Source, type SourceParts } from "../../protocol/moves/source.ts";
import { Results } from "../../protocol/results/results.ts";
import { encodeStored, type StoredResult } from "../../protocol/results/stored-result.ts";
import { PlainState } from "./support/plain-state.ts";

const GROUP = 7;
const result = (requestId: string): StoredResult => {
  return { requestId, status: 200, fingerprintLow: 0, fingerprintHigh: 0, body: "", group: GROUP };
};
const numbered = (letter: string, n: number) => letter + n.toString(16).padStart(32, "0");

class WithResults extends PlainState {
  readonly results = new Map<string, string>();
  override resultsFrom(from = "", limit = 0): Array<[string, string]> {
    return [...this.results]
      .filter(([id]) => id >= from)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit);
  }
  override result(id = ""): string | undefined {
    return this.results.get(id);
  }
}

function made() {
  const stored = new WithResults();
  const results = new Results(stored);
  const parts = {
    stored,
    results,
    committed: { unfolded: () => [], range: () => [] },
    flows: { ofStreams: () => [] },
    ownership: { groupOf: () => GROUP },
  } as unknown as SourceParts;
  const sent: string[] = [];
  const source = new Source(parts, new Set([GROUP]), 1, 1, 0, (message) => {
    if (message.kind === "move-chunk") sent.push(message.content);
  });
  results.watch = (news) => source.heard(news);
  const fold = () => {
    const { named, messages } = results.toFold(1, LIMITS.carryMs * 2);
    const all = [...named, ...messages];
    for (const each of all) stored.results.set(each.result.requestId, encodeStored(each.result));
    results.markFolded(all, 1);
  };
  return { source, results, fold, sent };
}

test("it holds no results that are settled, or folded where it has yet to read them", () => {
  const { source, results, fold } = made();
  const messages = Array.from({ length: 100 }, (_, n) => numbered("m", n));
  for (const id of messages) results.add(result(id), 1, 0);
  expect(source.waiting).toBe(100);
  results.settle(messages);
  expect(source.waiting).toBe(0);
  for (let n = 0; n < 100; n++) results.add(result(numbered("c", n)), 1, 0);
  fold();
  expect(source.waiting).toBe(0);
});

test("it sends each result, whether it was folded before or after its place was read", () => {
  const { source, results, fold, sent } = made();
  const ids = Array.from({ length: 6 }, (_, n) => numbered("c", n));
  for (const id of ids.slice(0, 3)) results.add(result(id), 1, 0);
  fold();
  source.taken(0, false);
  while (source.pump()) source.taken(sent.length, false);
  for (const id of ids.slice(3)) results.add(result(id), 1, 0);
  fold();
  source.freeze(1);
  source.taken(sent.length, false);
  while (source.pump()) source.taken(sent.length, false);
  for (const id of ids) expect(sent.join("").split(id)).toHaveLength(2);
});
