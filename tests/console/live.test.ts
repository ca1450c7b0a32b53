/** What the overview's figures are by the second. The page is another program, with types of its own: it is loaded by its path. */
import { expect, test } from "vitest";

const LIVE = "../../console/live.ts";
interface Live {
  sampleOf(before: object, now: object): object;
}

const histogram = (counts: readonly number[]) => ({ counts, sum: 10 });
const partition = (committed: number) => ({
  observed: { outcomes: [committed, 0, 0, 0, committed / 10, 0, 0], latency: histogram([committed]) },
});
const coordinator = (epochs: number) => ({
  epochs: { size: histogram([epochs]), duration: histogram([epochs]) },
});

test("what was not known a moment ago is not counted as if it had happened since", async () => {
  const { sampleOf } = (await import(LIVE)) as Live;
  const before = { at: 0, partitions: [null, partition(20)], coordinator: null };
  const now = { at: 1_000, partitions: [partition(1_000_000), partition(30)], coordinator: coordinator(70_000) };
  expect(sampleOf(before, now)).toMatchObject({
    perSecond: 11,
    errorsPerSecond: 1,
    epochsPerSecond: 0,
    partitions: [0, 11],
    p50: 1,
    epochSize: null,
  });
});

test("a partition that has started over counts from 0", async () => {
  const { sampleOf } = (await import(LIVE)) as Live;
  const before = { at: 0, partitions: [partition(1_000)], coordinator: coordinator(90) };
  const now = { at: 2_000, partitions: [partition(40)], coordinator: coordinator(10) };
  expect(sampleOf(before, now)).toMatchObject({ perSecond: 22, errorsPerSecond: 2, epochsPerSecond: 5 });
});
