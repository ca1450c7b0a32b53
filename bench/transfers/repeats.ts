/** Batches sent again under their Idempotency-Keys: nothing may run a second time, and the answers must be the same. */
import type { HttpAnswer } from "../lib/http-answer.ts";
import { withConnections } from "../lib/drive.ts";
import { type Answered, enter } from "./batch-jobs.ts";
import { type Batch, BATCH_LINES } from "./batches.ts";
import type { Ledger } from "./ledger.ts";
import { batchRequest } from "./requests.ts";
import { linesOf } from "./results.ts";

/**
 * Repeats batches that were answered, and sends a new one twice at the same time and then once more; the audit that follows shows whether
 * anything was doubled.
 * @throws Error when an answer differs from the first
 */
export async function repeatBatches(
  port: number,
  recent: readonly Answered[],
  fresh: Batch,
  ledger: Ledger,
): Promise<void> {
  await withConnections(port, 2, async ([first, second]) => {
    for (const { request, body } of recent) mustReplay(body, await first!.post(request));
    const request = batchRequest(fresh.body);
    const [one, other] = await Promise.all([first!.post(request), second!.post(request)]);
    enter(fresh, one, ledger);
    mustEqual(one.body, other.body);
    mustReplay(one.body, await first!.post(request));
  });
}

function mustReplay(before: Buffer, again: HttpAnswer): void {
  if (again.status !== 200) throw new Error(`a repeated batch was answered ${again.status}`);
  const replayed = mustEqual(before, again.body);
  if (replayed !== BATCH_LINES) throw new Error(`only ${replayed} of ${BATCH_LINES} repeated lines were replays`);
}

/** Returns how many lines of the second are marked as replays. */
function mustEqual(before: Buffer, again: Buffer): number {
  const { texts: expected } = linesOf(before);
  const { texts, replayed } = linesOf(again);
  for (const [line, text] of expected)
    if (texts.get(line) !== text)
      throw new Error(`a repeated line was answered ${texts.get(line)}}, and before ${text}}`);
  return replayed;
}
