/** User code with state and timers per key. */

import { decodeValue, encodeValue } from "../../sdk/values.ts";
import { type EventRow, type Fields, type ProcessCode, TidegateError } from "../../sdk/index.ts";
import { type Rows, rowsOf } from "../columns/rows.ts";
import { type GroupId, groupIds, groupOfText, groupText, keyCells } from "../keys.ts";
import { DueTimers } from "./due-timers.ts";
import { NOTHING_LATE, type ShardInput, type ShardOperator, type ShardOutput } from "./operator.ts";
import type { ShardStore } from "./store.ts";
import { cancelTimer, firstTimer, setTimer } from "./timers.ts";
import { GROUPS } from "./windows.ts";

export interface ProcessSpec {
  readonly keys: readonly string[];
  readonly inputs: Fields;
  readonly fields: Fields;
  readonly code: ProcessCode;
}

/** What user code is given; see `ProcessContext` of the SDK. */
interface Context {
  readonly key: unknown;
  state: unknown;
  readonly time: number;
  readonly watermark: number;
  readonly now: number;
  emit(event: EventRow): void;
  timer(at: number): void;
  cancelTimer(at: number): void;
}

/** By time and key's text. */
interface Timers {
  set(at: number, text: string): void;
  cancel(at: number, text: string): void;
}

/** A call of user code. What comes behind it would be in no transaction. */
class Call {
  #over = false;

  end(): void {
    this.#over = true;
  }

  check(): void {
    if (this.#over)
      throw failed("ctx of process() is used when its function has returned: onEvent and onTimer are synchronous");
  }
}

function failed(message: string): TidegateError {
  return new TidegateError("internal-error", message);
}

/** States of a batch: read once, written once. */
class States {
  readonly #spec: ProcessSpec;
  readonly #store: ShardStore;
  readonly #values = new Map<string, { value: unknown; text: string | null }>();

  constructor(spec: ProcessSpec, store: ShardStore) {
    this.#spec = spec;
    this.#store = store;
  }

  of(text: string): { value: unknown } {
    let known = this.#values.get(text);
    if (known === undefined) {
      const stored = this.#store.get(GROUPS, text);
      known = { value: stored === null ? undefined : decodeValue(stored), text: stored };
      this.#values.set(text, known);
    }
    // Also where it was deleted earlier in the batch: results do not depend on where one batch ends and the next begins.
    if (known.value === undefined) known.value = this.#spec.code.state?.();
    return known;
  }

  keep(): void {
    for (const [key, { value, text }] of this.#values) {
      const next = value === undefined ? null : encodeValue(value);
      if (next !== text) this.#store.put(GROUPS, key, next);
    }
  }
}

export class Process implements ShardOperator {
  readonly #spec: ProcessSpec;
  readonly #names: readonly string[];

  constructor(spec: ProcessSpec) {
    this.#spec = spec;
    this.#names = Object.keys(spec.inputs);
  }

  apply(input: ShardInput, store: ShardStore): ShardOutput {
    const rows = input.inputs[0] as Rows;
    const states = new States(this.#spec, store);
    const out: EventRow[] = [];
    const times: number[] = [];
    const idOf = groupIds(rows, this.#spec.keys);
    const { onEvent, onTimer } = this.#spec.code;
    let timers: Timers = {
      set: (at, text) => setTimer(store, at, text),
      cancel: (at, text) => cancelTimer(store, at, text),
    };
    const run = (id: GroupId, time: number, name: string, code: (context: never) => unknown): void => {
      const text = groupText(id, this.#spec.keys.length);
      const state = states.of(text);
      const call = new Call();
      const emit = (event: EventRow): void => {
        call.check();
        out.push(event);
        times.push(time);
      };
      const context = new ProcessScope(this.#keyOf(id), state, { time, ...input }, { emit, timers, text, call });
      try {
        requireNoPromise(name, code(context as unknown as never));
      } finally {
        call.end();
      }
    };
    for (let row = 0; row < rows.length; row++) {
      const event = rows.object(row, this.#names);
      run(idOf(row), rows.time[row] as number, "onEvent", (context) => onEvent(context, event as never));
    }
    // Timers fire behind all events of the batch, so also those of a time that had come before it wait for its last part.
    const due = new DueTimers(store, input.more === true ? -Infinity : input.after);
    timers = due;
    for (let timer = due.take(); timer !== null; timer = due.take()) {
      const { at, text } = timer;
      run(groupOfText(text, this.#spec.keys.length), at, "onTimer", (context) => onTimer?.(context, at));
    }
    states.keep();
    return {
      rows: rowsOf(this.#spec.fields, out, Float64Array.from(times)),
      late: NOTHING_LATE,
      next: firstTimer(store),
    };
  }

  #keyOf(id: GroupId): unknown {
    return this.#spec.keys.length === 1 ? id : keyCells(String(id));
  }
}

/** The compiler lets an async function pass where nothing is returned. */
function requireNoPromise(name: string, returned: unknown): void {
  if (typeof (returned as PromiseLike<unknown> | undefined | null)?.then !== "function") return;
  // It fails when it uses its context, and nobody else waits for it.
  Promise.resolve(returned).catch(() => undefined);
  throw failed(
    `${name} of process() returned a promise: it is synchronous, and nothing waits for what it would do later`,
  );
}

class ProcessScope implements Context {
  readonly key: unknown;
  readonly time: number;
  readonly watermark: number;
  readonly now: number;
  readonly emit: (event: EventRow) => void;
  readonly #state: { value: unknown };
  readonly #timers: Timers;
  readonly #text: string;
  readonly #call: Call;

  constructor(
    key: unknown,
    state: { value: unknown },
    { time, before, now }: { readonly time: number } & Pick<ShardInput, "before" | "now">,
    means: {
      readonly emit: (event: EventRow) => void;
      readonly timers: Timers;
      readonly text: string;
      readonly call: Call;
    },
  ) {
    this.key = key;
    this.#state = state;
    this.time = time;
    this.watermark = before;
    this.now = now;
    this.emit = means.emit;
    this.#timers = means.timers;
    this.#text = means.text;
    this.#call = means.call;
  }

  get state(): unknown {
    this.#call.check();
    return this.#state.value;
  }
  set state(value: unknown) {
    this.#call.check();
    this.#state.value = value;
  }

  timer(at: number): void {
    this.#call.check();
    this.#timers.set(whole(at), this.#text);
  }
  cancelTimer(at: number): void {
    this.#call.check();
    this.#timers.cancel(whole(at), this.#text);
  }
}

function whole(at: number): number {
  if (!Number.isSafeInteger(at)) throw new TypeError("a timer is at a whole number of milliseconds");
  return at;
}
