/**
 * A value with all that lies in it as it is now: so that each object of it can be set back, whoever has it. What functions took from their state, a list or
 * a map in it, stays part of the state.
 */
export interface Shape {
  readonly value: unknown;
  /** Of a plain object, by name; null of anything else. */
  readonly members: ReadonlyMap<string, Shape> | null;
  /** As often as it is called. @throws TypeError where an object does not let itself be set back */
  setBack(): void;
}

export function shapeOf(value: unknown): Shape {
  if (typeof value !== "object" || value === null) return { value, members: null, setBack: nothing };
  if (Array.isArray(value)) return shapeOfArray(value);
  if (value instanceof Map) return shapeOfMap(value);
  if (value instanceof Set) return shapeOfSet(value);
  if (value instanceof Date) {
    const time = value.getTime();
    return { value, members: null, setBack: () => void value.setTime(time) };
  }
  if (value instanceof Uint8Array) {
    const bytes = value.slice();
    return { value, members: null, setBack: () => value.set(bytes) };
  }
  return shapeOfObject(value);
}

function nothing(): void {
  // It cannot be changed.
}

function setBackAll(shapes: Iterable<Shape>): void {
  for (const shape of shapes) shape.setBack();
}

function shapeOfArray(array: unknown[]): Shape {
  const elements = [...array];
  const inside = elements.map(shapeOf);
  const setBack = (): void => {
    if (!isSame(array, elements)) {
      array.length = 0;
      for (const [at, element] of elements.entries()) array[at] = element;
    }
    setBackAll(inside);
  };
  return { value: array, members: null, setBack };
}

function shapeOfMap(map: Map<unknown, unknown>): Shape {
  const entries = [...map];
  const keys = entries.map(([key]) => key);
  const members = entries.map(([, member]) => member);
  const inside = [...keys, ...members].map(shapeOf);
  const setBack = (): void => {
    // Cleared and filled anew, a loop over it that waits would begin again.
    if (!isSame([...map.keys()], keys) || !isSame([...map.values()], members)) {
      map.clear();
      for (const [key, member] of entries) map.set(key, member);
    }
    setBackAll(inside);
  };
  return { value: map, members: null, setBack };
}

function shapeOfSet(set: Set<unknown>): Shape {
  const elements = [...set];
  const inside = elements.map(shapeOf);
  const setBack = (): void => {
    if (!isSame([...set], elements)) {
      set.clear();
      for (const element of elements) set.add(element);
    }
    setBackAll(inside);
  };
  return { value: set, members: null, setBack };
}

function shapeOfObject(object: object): Shape {
  const names = Object.keys(object);
  const values = names.map((name): unknown => Reflect.get(object, name));
  const inside = values.map(shapeOf);
  const setBack = (): void => {
    const now = Object.keys(object);
    const isUnchanged =
      isSame(now, names) && values.every((value, at) => is(Reflect.get(object, names[at] as string), value));
    if (!isUnchanged) refill(object, now, names, values);
    setBackAll(inside);
  };
  return { value: object, members: new Map(names.map((name, at) => [name, inside[at] as Shape])), setBack };
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
