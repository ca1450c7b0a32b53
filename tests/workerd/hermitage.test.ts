/**
 * The isolation anomalies of Hermitage (Martin Kleppmann, github.com/ept/hermitage), each as the history that would show it. The
 * table begins with the rows 1 = 10 and 2 = 20; odd rows are kept under one key, even rows under another.
 */
import { afterAll, describe, expect, test } from "vitest";
import { freshKey, freshKeyNear, leftovers, PARTITIONS } from "./support/app.ts";
import { ANOMALIES } from "./support/history/anomalies.ts";
import { withoutIsolation } from "./support/history/model.ts";
import { parseHistory } from "./support/history/notation.ts";
import { type Keys, play } from "./support/history/play.ts";
import { serialOrderOf } from "./support/history/serial-order.ts";

afterAll(async () => expect(await leftovers()).toBe(0));

const near = (same: boolean) => (): Keys => {
  const key = freshKey();
  return [key, freshKeyNear(key, same || PARTITIONS === 1)];
};

describe.each([
  ["on two partitions", near(false)],
  ["on one partition", near(true)],
])("%s", (_where, keys) => {
  test.each(Object.entries(ANOMALIES))("%s does not happen", async (_name, text) => {
    const history = parseHistory(text);
    const outcome = await play(history, keys());
    expect(serialOrderOf(history, outcome), JSON.stringify([...outcome.seen, outcome.rows])).not.toBeNull();
  });
});

test.each(Object.entries(ANOMALIES))("%s is what the history shows where nothing isolates", (_name, text) => {
  const history = parseHistory(text);
  expect(serialOrderOf(history, withoutIsolation(history), [])).toBeNull();
});
