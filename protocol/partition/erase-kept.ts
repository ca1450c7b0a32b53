/** What the engine itself keeps under keys of other names, and of an erased key: messages that wait for their time, and dead letters, those of flows too. */
import type { AppDefinition } from "../../sdk/app.ts";
import { Pin } from "../backup/pin.ts";
import { eraseLettersTarget, hasErasedLetter } from "../flows/erasing.ts";
import { FLOW_PREFIX } from "../flows/internal.ts";
import { LIMITS } from "../limits.ts";
import { DEAD, decodeDead } from "../outbox/dead-letter.ts";
import { concernsErased, ERASE, type Erased } from "../outbox/erased.ts";
import { afterPrefix, entityKey, parseStateKey } from "../state/state-key.ts";
import type { StateStore, Write } from "../state/store.ts";
import { isDeclaredName, waitingOf } from "../timers/schedules.ts";
import { DUE, timerOf, TIMERS } from "../timers/timer.ts";
import type { Target } from "../transaction/attempt.ts";
import { resolveAny } from "./resolve.ts";

/** A row counts as one for each so many characters of it: what flows have set aside lies in large ones. */
const ROW_UNITS = 4 * 1024;

/** All that is stored under one of the engine's own services begins with this. */
const UNDER_TIMERS = `${TIMERS}\u0001`;
const UNDER_DEAD = `${DEAD}\u0001`;

/** Where blocks may hold what is deleted. */
export const KEPT_PREFIXES: readonly string[] = [UNDER_TIMERS, DUE, UNDER_DEAD, FLOW_PREFIX];

/** One look at all that is kept, some rows in a turn. */
class Pass {
  readonly erased: Erased;
  readonly rows: Iterator<Seen>;
  /** Something was found, or was written behind what it had looked at: there is to be another one. */
  isVain = true;
  /** The key that a transaction was begun for last: all rows of one follow each other. */
  begun = "";

  constructor(committed: StateStore, erased: Erased) {
    this.erased = erased;
    this.rows = keptRows(committed, erased);
  }
}

/** A row that was looked at. */
interface Seen {
  readonly kept: Kept | null;
  /** As how many it counts. */
  readonly rows: number;
}

/** A row that concerns what is erased. */
interface Kept {
  readonly kind: Kind;
  readonly service: string;
  readonly key: string;
  /** Its entry's key. */
  readonly entry: string;
}

export interface KeptOwner {
  readonly committed: StateStore;
  /** Begins a transaction of one of the engine's own functions. */
  begin(target: Target, input: string): void;
}

/**
 * Erases what is kept of a key under others. A transaction for each of those takes its lock, as whatever else is done to it. There may be any number
 * of rows, so that a turn looks at some.
 */
export class KeptEraser {
  readonly #app: AppDefinition;
  readonly #owner: KeptOwner;
  /** By entity, the oldest first. */
  readonly #passes = new Map<string, Pass>();

  constructor(app: AppDefinition, owner: KeptOwner) {
    this.#app = app;
    this.#owner = owner;
  }

  /** Goes on for a turn. True when nothing is left; else it is to be asked again. */
  work(erased: Erased): boolean {
    const pass = this.#passes.get(erased.entity) ?? this.#begin(erased);
    let begun = 0;
    for (let rows = 0; rows < LIMITS.eraseRowsPerTurn && begun < LIMITS.maxFiringKeys;) {
      const step = pass.rows.next();
      if (step.done === true) {
        this.#passes.delete(erased.entity);
        return pass.isVain;
      }
      rows += step.value.rows;
      if (step.value.kept !== null && this.#erase(pass, step.value.kept)) begun += 1;
    }
    return false;
  }

  #begin(erased: Erased): Pass {
    const pass = new Pass(this.#owner.committed, erased);
    this.#passes.set(erased.entity, pass);
    // Of one that nobody asks for any more nothing is lost: who asks again begins again.
    const [oldest] = this.#passes.keys();
    if (this.#passes.size > LIMITS.maxErasing && oldest !== undefined) this.#passes.delete(oldest);
    return pass;
  }

  #erase(pass: Pass, { kind, service, key, entry }: Kept): boolean {
    pass.isVain = false;
    const entity = entityKey(service, key);
    if (pass.begun === entity) return false;
    pass.begun = entity;
    this.#owner.begin(kind.target(this.#app, service, key), JSON.stringify({ ...pass.erased, from: entry }));
    return true;
  }

  /** These are committed: what a pass has looked at may be another by now. */
  committed(writes: readonly Write[]): void {
    if (this.#passes.size === 0) return;
    for (const { op, key, text } of writes) {
      if (op !== "put") continue;
      for (const pass of this.#passes.values()) if (keptOf(key, text, pass.erased) !== null) pass.isVain = false;
    }
  }
}

function* keptRows(committed: StateStore, erased: Erased): Generator<Seen> {
  for (const { prefix } of KINDS) {
    for (const [row, text] of new Pin(committed, prefix, afterPrefix(prefix)).pairs())
      yield { kept: keptOf(row, text, erased), rows: Math.ceil((text.length + 1) / ROW_UNITS) };
  }
}

function keptOf(row: string, text: string, erased: Erased): Kept | null {
  const kind = KINDS.find(({ prefix }) => row.startsWith(prefix));
  // Totals and schedules say nothing of anybody: a letter has a line feed behind its head, and so have lines.
  if (kind === undefined || !text.includes("\n") || !kind.concerns(row, text, erased)) return null;
  const { service, key, entry } = parseStateKey(row);
  return { kind, service, key, entry: String(entry) };
}

interface Kind {
  readonly prefix: string;
  concerns(row: string, text: string, erased: Erased): boolean;
  target(app: AppDefinition, service: string, key: string): Target;
}

const KINDS: readonly Kind[] = [
  { prefix: UNDER_TIMERS, concerns: (_, text, erased) => concernsTimer(text, erased), target: ownTarget },
  { prefix: UNDER_DEAD, concerns: (_, text, erased) => concernsErased(decodeDead(text), erased), target: ownTarget },
  { prefix: FLOW_PREFIX, concerns: hasErasedLetter, target: (_, service, key) => eraseLettersTarget(service, key) },
];

function ownTarget(app: AppDefinition, service: string, key: string): Target {
  return resolveAny(app, service, key, ERASE);
}

/** What the code declares goes on: it would come again anyway, yet only when the next instance begins. */
function concernsTimer(text: string, erased: Erased): boolean {
  const { schedule, letter } = waitingOf(text);
  return !isDeclaredName(schedule) && concernsErased(timerOf(letter), erased);
}
