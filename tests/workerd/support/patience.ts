/** Waiting for what comes to be, and breaking what is under way. */
import { type Answer, inside, PARTITIONS, statusOf, stub } from "./app.ts";

/** Longer than anything takes. */
export const PATIENCE_MS = 20_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** No message or effect of any partition is under way any more. Delayed ones may wait. */
export async function settled(): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const all = Array.from({ length: PARTITIONS }, (_, n) =>
      stub(n)
        .status()
        .then((status) => status.outbox),
    );
    if ((await Promise.all(all.map((size) => size.catch(() => 1)))).every((size) => size === 0)) return;
    if (Date.now() > end) throw new Error("effects or messages are not over");
    await sleep(5);
  }
}

export async function untilAnswered(request: () => Promise<Answer>): Promise<Answer> {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const answer = await request().catch(() => null);
    if (answer && answer.status < 500) return answer;
    await sleep(5);
  }
  throw new Error("a request is never answered");
}

/** Hard: what the object has not stored is lost, and its calls break. */
export async function abortOne(key: string): Promise<void> {
  // Of an abort while another is under way the test pool complains.
  await statusOf(key).catch(() => undefined);
  let isAborted = false;
  await inside(key, (state) => {
    setTimeout(() => {
      isAborted = true;
      state.abort("Instance dispose");
    }, 0);
  });
  while (!isAborted) await sleep(1);
  await sleep(1);
}
