/** Waiting for what comes to be, and breaking what is under way. */
import { type Answer, inside, PARTITIONS, statusOf, stub } from "./app.ts";

/** Longer than anything takes. */
export const PATIENCE_MS = 20_000;

/** Also lets timers fire: within one isolate calls alone never leave the event loop. */
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

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

/** Repeats a request until it is answered, as a client does whose server starts over. */
export async function untilAnswered(request: () => Promise<Answer>): Promise<Answer> {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const answer = await request().catch(() => null);
    if (answer && answer.status < 500) return answer;
    if (answer?.status === 501) throw new Error(JSON.stringify(answer.body));
    await sleep(1);
  }
  throw new Error("a request is never answered");
}

/** Hard: what the object has not stored is lost, and its calls break. */
export async function abortOne(key: string): Promise<void> {
  // Of an abort while another is under way the test pool complains.
  await statusOf(key).catch(() => undefined);
  let isAborted = false;
  const abort = (state: DurableObjectState): void => {
    if (isAborted) return;
    isAborted = true;
    state.abort("Instance dispose");
  };
  for (const end = Date.now() + PATIENCE_MS; !isAborted;) {
    if (Date.now() > end) throw new Error(`what keeps ${key} cannot be aborted`);
    await inside(key, (state) => void setTimeout(() => abort(state), 0));
    // A timer that does not ring was lost with its instance, which something else has ended: then it is the next one's turn.
    for (const wait = Date.now() + RINGS_MS; !isAborted && Date.now() < wait;) await sleep(1);
  }
  await sleep(1);
}
/** Much longer than a timer of 0 ms takes. */
const RINGS_MS = 1_000;
