import { describe, expect, it } from "vitest";
import { EntityCopy } from "../../protocol/state/entity-copy.ts";
import { currentText, readVersion } from "../../protocol/state/evolution.ts";
import type { StateView } from "../../protocol/state/layers.ts";
import { collectionPrefix, encodeEntryKey, entityKey } from "../../protocol/state/state-key.ts";
import type { Write } from "../../protocol/state/store.ts";
import { collection, contract, fn, service } from "../../sdk/index.ts";

const C = contract("thing", { go: fn() });
const handlers = { go: () => undefined };
const one = service(C, { state: () => ({ n: 0 }), collections: { parts: collection<number>() } }, handlers);
const two = service(
  C,
  {
    version: 2,
    state: () => ({ m: 0 }),
    collections: { parts: collection<string>() },
    evolve: { 2: ({ n }: { n: number }) => ({ m: n }) },
    evolveEntries: { parts: { 2: (part: number) => String(part) } },
  },
  handlers,
);

const entity = entityKey("thing", "k");
const part = (name: string) => collectionPrefix(entity, "parts") + encodeEntryKey(name);

/** State of one key, as it is stored. */
class Stored implements StateView {
  readonly texts = new Map<string, string>();
  get(key: string): string | null {
    return this.texts.get(key) ?? null;
  }
  hasLifetime(): boolean {
    return false;
  }
  range(prefix: string): Array<[string, string]> {
    return [...this.texts]
      .filter(([key]) => key.startsWith(prefix) && key !== entity)
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
  }
  apply(writes: readonly Write[]): void {
    for (const { op, key, text } of writes) {
      if (op === "put") this.texts.set(key, text);
      else if (op === "delete") this.texts.delete(key);
      else this.texts.clear();
    }
  }
}

function stored(texts: Record<string, string>): Stored {
  const made = new Stored();
  for (const [key, text] of Object.entries(texts)) made.texts.set(key, text);
  return made;
}

describe("stored text", () => {
  it("of the first version is what it always was", () => {
    const state = stored({});
    const copy = new EntityCopy(entity, state, one);
    copy.value = { n: 1 };
    copy.putEntry("parts", "a", "1");
    expect(copy.writes().map(({ text }) => text)).toEqual(['{"n":1}', "1"]);
  });

  it("that names no version that can be read is damaged", () => {
    expect(() => readVersion("v0 {}")).toThrow(expect.objectContaining({ type: "damaged-data" }));
    expect(() => currentText(one, null, "vx")).toThrow(expect.objectContaining({ type: "damaged-data" }));
  });

  it("is brought up, and stored so only when something changes", () => {
    const state = stored({ [entity]: '{"n":7}', [part("a")]: "1" });
    const read = new EntityCopy(entity, state, two);
    expect([read.value, read.getEntry("parts", "a")]).toEqual([{ m: 7 }, '"1"']);
    expect(read.writes()).toEqual([]);
    const changed = new EntityCopy(entity, state, two);
    (changed.value as { m: number }).m = 8;
    state.apply(changed.writes());
    expect(state.texts.get(entity)).toBe('v2 {"m":8}');
    expect(new EntityCopy(entity, state, two).valueText()).toBe('{"m":8}');
  });
});

describe("entries that are written without a look at the value", () => {
  it("take the value along, so that old code finds out", () => {
    const state = stored({ [entity]: '{"n":7}' });
    const copy = new EntityCopy(entity, state, two);
    copy.putEntry("parts", "a", '"x"');
    state.apply(copy.writes());
    expect(Object.fromEntries(state.texts)).toEqual({ [entity]: 'v2 {"m":7}', [part("a")]: 'v2 "x"' });
    const old = new EntityCopy(entity, state, one);
    for (const use of [
      () => old.value,
      () => old.valueText(),
      () => old.getEntry("parts", "a"),
      () => old.putEntry("parts", "b", "1"),
      () => old.range("parts", { limit: 10, reverse: false }),
      () => old.clear(),
    ])
      expect(use).toThrow(expect.objectContaining({ type: "newer-state" }));
    expect(old.writes()).toEqual([]);
  });

  it("write no value that a tried call, which was undone, had cleared", () => {
    const state = stored({ [entity]: '{"n":7}' });
    const copy = new EntityCopy(entity, state, two);
    const before = copy.snapshot();
    copy.clear();
    copy.putEntry("parts", "a", '"x"');
    copy.restore({ before, after: null }, false);
    copy.putEntry("parts", "b", '"y"');
    state.apply(copy.writes());
    expect(Object.fromEntries(state.texts)).toEqual({ [entity]: 'v2 {"m":7}', [part("b")]: 'v2 "y"' });
  });

  it("write the initial value where there is none, or none any more", () => {
    for (const clears of [false, true]) {
      const state = stored(clears ? { [entity]: '{"n":7}' } : {});
      const copy = new EntityCopy(entity, state, two);
      if (clears) copy.clear();
      copy.putEntry("parts", "a", '"x"');
      state.apply(copy.writes());
      expect(Object.fromEntries(state.texts)).toEqual({ [entity]: 'v2 {"m":0}', [part("a")]: 'v2 "x"' });
    }
  });

  it("of a service without a value leave a mark in its place", () => {
    const bare = service(C, { version: 2, collections: { parts: collection<string>() } }, handlers);
    const state = stored({});
    const copy = new EntityCopy(entity, state, bare);
    copy.putEntry("parts", "a", '"x"');
    state.apply(copy.writes());
    expect(new EntityCopy(entity, state, bare).value).toBeUndefined();
    const old = service(C, { collections: { parts: collection<string>() } }, handlers);
    expect(() => new EntityCopy(entity, state, old).putEntry("parts", "a", "1")).toThrow(
      expect.objectContaining({ type: "newer-state" }),
    );
  });
});

describe("a service that had collections only and is given a state", () => {
  const options = {
    version: 2,
    collections: { parts: collection<string>() },
    evolveEntries: { parts: { 2: (old: number) => String(old) } },
  };
  const bare = service(C, options, handlers);
  const seen: unknown[] = [];
  const given = [2, 3].map((version) => {
    const keep = (old: { n: number }) => (seen.push(old), old);
    const evolve = version === 2 ? { 2: keep } : { 2: keep, 3: keep };
    return service(C, { ...options, version, evolve, state: () => ({ n: 0 }) }, handlers);
  });
  const written = (): Stored => {
    const state = stored({});
    const copy = new EntityCopy(entity, state, bare);
    copy.putEntry("parts", "a", '"x"');
    state.apply(copy.writes());
    return state;
  };

  it.each(given)(
    "has its initial state where entries were written before, and no step is given it (case %#)",
    (after) => {
      const copy = new EntityCopy(entity, written(), after);
      expect([copy.valueText(), copy.value]).toEqual(['{"n":0}', { n: 0 }]);
      expect(copy.writes()).toEqual([]);
      (copy.value as { n: number }).n = 1;
      expect(copy.writes()).toMatchObject([{ key: entity, text: `v${after.version} {"n":1}` }]);
      expect(seen).toEqual([]);
    },
  );

  it("has what was set where that is `undefined`", () => {
    const [after] = given as [(typeof given)[0]];
    const state = written();
    const copy = new EntityCopy(entity, state, after);
    copy.value = undefined;
    state.apply(copy.writes());
    for (const reader of [after, bare]) {
      const again = new EntityCopy(entity, state, reader);
      expect([again.value, again.writes()]).toEqual([undefined, []]);
    }
  });

  it("is not given to code of an older version", () => {
    const state = stored({ [entity]: 'v3 {"~t":"u"}' });
    const copy = new EntityCopy(entity, state, given[0] as (typeof given)[0]);
    expect(() => copy.value).toThrow(expect.objectContaining({ type: "newer-state" }));
  });
});

describe("a service's versions", () => {
  const make = (options: object) => () =>
    service(C, { state: () => 0, collections: { parts: collection() }, ...options }, handlers);

  it.each<[string, object]>([
    ["a version that is none", { version: 0 }],
    ["a version that is no number", { version: "2" }],
    ["a step that is missing", { version: 3, evolve: { 3: () => "" } }],
    ["a step beyond the version", { version: 2, evolve: { 2: () => "", 3: () => "" } }],
    ["a step to the first version", { version: 2, evolve: { 1: () => "", 2: () => "" } }],
    ["a step that is no function", { version: 2, evolve: { 2: {} } }],
    ["steps for a collection that there is not", { evolveEntries: { others: {} } }],
  ])("cannot have %s", (_, options) => {
    expect(make(options)).toThrow(expect.objectContaining({ type: "misconfigured" }));
  });

  it("need no step without a value", () => {
    expect(() => service(C, { version: 4 }, handlers)).not.toThrow();
  });
});
