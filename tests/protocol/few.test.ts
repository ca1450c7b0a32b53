import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Few } from "../../protocol/few.ts";

const key = fc.constantFrom("a", "b", "c");
const step = fc.oneof(
  fc.record({ op: fc.constant("set" as const), key, value: fc.nat(9) }),
  fc.record({ op: fc.constant("delete" as const), key }),
  fc.record({ op: fc.constant("clear" as const) }),
);

describe("Few", () => {
  it("is a map, whatever is done to it, but that its first entry may come before older ones once that was deleted", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const few = new Few<string, number>();
        const map = new Map<string, number>();
        for (const made of steps) {
          if (made.op === "set") {
            few.set(made.key, made.value);
            map.set(made.key, made.value);
          } else if (made.op === "delete") expect(few.delete(made.key)).toBe(map.delete(made.key));
          else {
            few.clear();
            map.clear();
          }
          expect(few.size).toBe(map.size);
          expect(new Map(few)).toEqual(map);
          expect(few.keys().toSorted()).toEqual([...map.keys()].toSorted());
          expect(few.values().toSorted()).toEqual([...map.values()].toSorted());
          for (const each of ["a", "b", "c"]) {
            expect(few.get(each)).toBe(map.get(each));
            expect(few.has(each)).toBe(map.has(each));
          }
        }
      }),
    );
  });

  it("keeps the order in which entries were added", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(20)), (added) => {
        const few = new Few<number, number>();
        for (const each of added) few.set(each, each);
        expect(few.keys()).toEqual(added);
        few.delete(added[0] ?? 0);
        for (const each of added.slice(1)) few.set(each, 0);
        expect(few.keys()).toEqual(added.slice(1));
      }),
    );
  });
});
