/**
 * A value with all that lies in it as it is now: so that each object of it can be set back, whoever has it. What functions took from their state, a list or
 * a map in it, stays part of the state.
 */
type SetBack = () => void;

/** @returns what sets the value back, as often as it is called; it throws where an object does not let itself be set back */
export function shapeOf(value: unknown): SetBack {
  const steps: SetBack[] = [];
  note(value, steps);
  return () => {
    for (const step of steps) step();
  };
}

function note(value: unknown, steps: SetBack[]): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) noteArray(value, steps);
  else if (value instanceof Map) noteMap(value, steps);
  else if (value instanceof Set) noteSet(value, steps);
  else if (value instanceof Date) {
    const time = value.getTime();
    steps.push(() => void value.setTime(time));
  } else if (value instanceof Uint8Array) {
    const bytes = value.slice();
    steps.push(() => value.set(bytes));
  } else noteObject(value, steps);
}

function noteArray(array: unknown[], steps: SetBack[]): void {
  const elements = [...array];
  steps.push(() => {
    if (isSame(array, elements)) return;
    array.length = 0;
    for (const [at, element] of elements.entries()) array[at] = element;
  });
  for (const element of elements) note(element, steps);
}

function noteMap(map: Map<unknown, unknown>, steps: SetBack[]): void {
  const entries = [...map];
  const keys = entries.map(([key]) => key);
  const members = entries.map(([, member]) => member);
  steps.push(() => {
    // Cleared and filled anew, a loop over it that waits would begin again.
    if (isSame([...map.keys()], keys) && isSame([...map.values()], members)) return;
    map.clear();
    for (const [key, member] of entries) map.set(key, member);
  });
  for (const [key, member] of entries) {
    note(key, steps);
    note(member, steps);
  }
}

function noteSet(set: Set<unknown>, steps: SetBack[]): void {
  const elements = [...set];
  steps.push(() => {
    if (isSame([...set], elements)) return;
    set.clear();
    for (const element of elements) set.add(element);
  });
  for (const element of elements) note(element, steps);
}

function noteObject(object: object, steps: SetBack[]): void {
  const names = Object.keys(object);
  const members = names.map((name): unknown => Reflect.get(object, name));
  steps.push(() => {
    const now = Object.keys(object);
    const isUnchanged =
      isSame(now, names) && members.every((member, at) => is(Reflect.get(object, names[at] as string), member));
    if (!isUnchanged) refill(object, now, names, members);
  });
  for (const member of members) note(member, steps);
}

/** Defined, not assigned: a member called __proto__ stays a member. @throws TypeError when it is not to be changed */
function refill(object: object, now: readonly string[], names: readonly string[], members: readonly unknown[]): void {
  for (const name of now) if (!Reflect.deleteProperty(object, name)) throw new TypeError("it cannot be changed");
  for (const [at, name] of names.entries()) {
    Object.defineProperty(object, name, { value: members[at], writable: true, enumerable: true, configurable: true });
  }
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((element, at) => is(element, other[at]));
}

const { is } = Object;
