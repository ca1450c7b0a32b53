/** Simulated time: a heap of events, run one by one in the order of their times. Nothing else in the simulator knows what time it is. */

interface Event {
  readonly time: number;
  /** Events of one time run in the order in which they were made. */
  readonly order: number;
  readonly run: () => void;
}

export class Scheduler {
  /** Milliseconds since the run began; not whole. */
  now = 0;
  /** Events run so far. */
  steps = 0;
  /** Events run at the present moment. */
  still = 0;
  readonly #heap: Event[] = [];
  #order = 0;

  /** Runs something in so many milliseconds. */
  in(delay: number, run: () => void): void {
    this.#push({ time: this.now + delay, order: this.#order++, run });
  }

  /** Runs the next event; false when there is none until a time: then it is that time. */
  step(deadline: number): boolean {
    const next = this.#heap[0];
    if (next === undefined || next.time > deadline) {
      if (deadline < Infinity) this.now = Math.max(this.now, deadline);
      return false;
    }
    this.#pop();
    this.still = next.time === this.now ? this.still + 1 : 0;
    this.now = next.time;
    this.steps += 1;
    next.run();
    return true;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Event;
      if (before(above, event)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      if (before(last, heap[child] as Event)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
