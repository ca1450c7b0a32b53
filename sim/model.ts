/** The model: runs one program after the other on plain maps. What the engine answers must be what the model answers in the order of commits. */
import { compareKeys } from "../protocol/state/state-key.ts";
import {
  type EntryKey,
  initialState,
  type Place,
  type ProgramState,
  type Seen,
  type Shown,
  type Step,
} from "./program.ts";

interface Entity {
  readonly state: ProgramState;
  readonly entries: Map<EntryKey, number>;
}

export type ModelAnswer =
  | { readonly status: 200; readonly seen: readonly Seen[] }
  /** A refusal of this service. */
  | { readonly status: 409; readonly service: string }
  | { readonly status: 500; readonly type: string };

/** Why a scope failed: the first failure inside it. */
interface Failure {
  readonly refusedBy?: string;
  readonly type: string;
}
class Failed extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.type);
    this.failure = failure;
  }
}
interface Scope {
  failure: Failure | null;
}

export class Model {
  #entities = new Map<string, Entity>();

  /** Runs a program as one transaction: all of it or nothing. */
  execute(at: Place, steps: readonly Step[]): ModelAnswer {
    const before = this.#copy();
    const scope: Scope = { failure: null };
    let seen: readonly Seen[] = [];
    try {
      seen = this.#run(at, steps, scope);
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
    }
    if (scope.failure === null) return { status: 200, seen };
    this.#entities = before;
    const { refusedBy, type } = scope.failure;
    return refusedBy === undefined ? { status: 500, type } : { status: 409, service: refusedBy };
  }

  /** What `read` shows of a place. */
  show(at: Place): Shown {
    const { state, entries } = this.#entity(at);
    return { n: state.n, ids: [...state.ids], entries: [...entries].sort(([a], [b]) => compareEntryKeys(a, b)) };
  }

  #entity([service, key]: Place): Entity {
    const id = `${service}\n${key}`;
    let entity = this.#entities.get(id);
    if (!entity) this.#entities.set(id, (entity = { state: initialState(), entries: new Map() }));
    return entity;
  }

  #copy(): Map<string, Entity> {
    return new Map(
      Array.from(this.#entities, ([id, { state, entries }]) => [
        id,
        { state: { n: state.n, ids: [...state.ids] }, entries: new Map(entries) },
      ]),
    );
  }

  /** Sticky: whatever is thrown here has failed the scope. */
  #run(at: Place, steps: readonly Step[], scope: Scope): Seen[] {
    const seen: Seen[] = [];
    try {
      for (const step of steps) this.#step(at, step, scope, seen);
    } catch (error) {
      if (error instanceof Failed) scope.failure ??= error.failure;
      throw error;
    }
    return seen;
  }

  #step(at: Place, step: Step, scope: Scope, seen: Seen[]): void {
    switch (step.op) {
      case "call":
        seen.push(this.#call(step.at, step.steps, scope));
        return;
      case "loose":
        this.#call(step.at, step.steps, scope);
        return;
      case "all":
        seen.push(
          step.calls.map(({ at: place, steps, tried }) =>
            tried ? this.#try(place, steps, scope) : this.#call(place, steps, scope),
          ),
        );
        return;
      case "catch":
        seen.push(this.#caught(step.at, step.steps, scope));
        return;
      case "try":
        seen.push(this.#try(step.at, step.steps, scope));
        return;
      case "throw":
        throw new Failed({ type: "internal-error" });
      case "refuse":
        throw new Failed({ type: "no", refusedBy: at[0] });
      case "pause":
        return;
      case "read":
        seen.push(this.show(at));
        return;
      default:
        this.#write(at, step);
    }
  }

  #write(at: Place, step: Extract<Step, { op: "add" | "slow-add" | "append" | "put" | "delete" | "clear" }>): void {
    const { state, entries } = this.#entity(at);
    if (step.op === "add" || step.op === "slow-add") state.n += step.by;
    else if (step.op === "append") state.ids.push(step.id);
    else if (step.op === "put") entries.set(step.key, step.value);
    else if (step.op === "delete") entries.delete(step.key);
    else {
      Object.assign(state, initialState());
      entries.clear();
    }
  }

  #call(at: Place, steps: readonly Step[], scope: Scope): Seen[] {
    if (scope.failure) throw new Failed({ type: "transaction-aborted" });
    return this.#run(at, steps, scope);
  }

  #caught(at: Place, steps: readonly Step[], scope: Scope): Seen {
    try {
      return this.#call(at, steps, scope);
    } catch (error) {
      if (error instanceof Failed) return "caught";
      throw error;
    }
  }

  #try(at: Place, steps: readonly Step[], outer: Scope): Seen {
    if (outer.failure) return { failed: "transaction-aborted" };
    const before = this.#copy();
    const scope: Scope = { failure: null };
    const value = this.#caught(at, steps, scope);
    if (scope.failure === null) return value;
    this.#entities = before;
    const { type, refusedBy = at[0] } = scope.failure;
    // By another service: the called function's contract knows nothing of that.
    return { failed: refusedBy === at[0] ? type : "internal-error" };
  }
}

function compareEntryKeys(a: EntryKey, b: EntryKey): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return compareKeys(a, b);
  return typeof a === "number" ? -1 : 1;
}
