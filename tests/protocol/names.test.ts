import { describe, expect, it } from "vitest";
import {
  coordinatorName,
  type ObjectNamespace,
  partitionName,
  placedObject,
  readName,
} from "../../protocol/keygroups/names.ts";

describe("names of objects", () => {
  it("are those of before for the domain of no tenant", () => {
    expect([coordinatorName(""), partitionName("", 12)]).toEqual(["coordinator", "partition-12"]);
  });

  it.each(["", "acme", "a@b", "partition-1", "coordinator", "日本", "a b/c"])("say which domain: %j", (tenant) => {
    expect(readName(partitionName(tenant, 7))).toEqual({ tenant, partition: 7 });
    expect(readName(coordinatorName(tenant))).toEqual({ tenant, partition: null });
  });

  it("differ between domains, whatever these are called", () => {
    const tenants = ["", "a", "a@b", "@", "1", "-1"];
    const names = tenants.flatMap((tenant) => [
      coordinatorName(tenant),
      partitionName(tenant, 1),
      partitionName(tenant, 11),
    ]);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each([undefined, "", "partition-", "partition-x", "partition-1@", "partition-1000", "xpartition-1"])(
    "of another form are refused: %j",
    (name) => {
      expect(() => readName(name)).toThrow(/needs a name/);
    },
  );
});

describe("placement", () => {
  function namespace(within: string): ObjectNamespace<string> {
    return {
      getByName: (name, options) => `${within}/${name}/${options?.locationHint ?? ""}`,
      jurisdiction: (jurisdiction) => namespace(jurisdiction),
    };
  }

  it("asks for an object within its jurisdiction, and hints at its place", () => {
    expect(placedObject(namespace(""), "a", undefined)).toBe("/a/");
    expect(placedObject(namespace(""), "a", { locationHint: "weur" })).toBe("/a/weur");
    expect(placedObject(namespace(""), "a", { jurisdiction: "eu" })).toBe("eu/a/");
    expect(placedObject(namespace(""), "a", { jurisdiction: "eu", locationHint: "weur" })).toBe("eu/a/weur");
  });

  it("finds no object elsewhere when the platform knows no jurisdictions", () => {
    expect(() => placedObject({ getByName: () => "elsewhere" }, "a", { jurisdiction: "eu" })).toThrow(/jurisdiction/);
  });
});
