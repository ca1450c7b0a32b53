/** Plans and graphs of flows. */

import { describe, expect, test } from "vitest";
import { explain, graphOf, GROUPS_MAX, planFlow, windowedOf } from "../../dataflow/index.ts";
import { count, flow, tumbling } from "../../sdk/index.ts";
import { perSecond, Sales } from "./fixtures.ts";

describe("planFlow", () => {
  test("turns names into columns, and outputs of one field into one measure", () => {
    expect(planFlow(perSecond)).toStrictEqual({
      name: "sales-per-second",
      stream: "sales",
      columns: Sales.columns,
      window: {
        columns: Sales.columns,
        filter: [
          { column: 1, op: "gt", value: 0n },
          { column: 0, op: "ne", value: "test" },
        ],
        key: 0,
        time: 3,
        size: 1_000,
        measures: [1, 2],
        maxGroups: GROUPS_MAX,
      },
      outOfOrderness: 500,
      outputs: [
        { name: "orders", kind: "count" },
        { name: "revenue", kind: "sum", measure: 0 },
        { name: "dearest", kind: "max", measure: 1 },
        { name: "least", kind: "min", measure: 0 },
        { name: "cheapest", kind: "min", measure: 1 },
      ],
      view: "per-second",
    });
  });

  test("keeps no measures for counts alone", () => {
    const counting = flow("f")
      .from(Sales, { time: "at" })
      .keyBy("amount")
      .window(tumbling(1))
      .aggregate({ n: count() })
      .toView("v");
    expect(planFlow(counting).window).toMatchObject({ measures: [], key: 1, filter: [] });
  });

  test("refuses a description that names a field its stream lacks", () => {
    expect(() => planFlow({ ...windowedOf(perSecond), key: "colour" })).toThrow('stream "sales" has no field "colour"');
  });
});

describe("graphOf", () => {
  test("shows each operator and where it runs", () => {
    const graph = graphOf(perSecond);
    expect(graph.edges).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
    ]);
    expect(explain(graph)).toBe(
      [
        "source [wasm]: sales, event time at - 500 ms",
        'filter [wasm]: amount gt 0 and item ne "test"',
        "key [wasm]: item",
        "window [wasm]: tumbling 1000 ms",
        "aggregate [wasm]: orders = count(), revenue = sum(amount), dearest = max(price), least = min(amount), cheapest = min(price)",
        "view [javascript]: per-second",
      ].join("\n"),
    );
  });

  test("has no filter where none is", () => {
    const plain = flow("f")
      .from(Sales, { time: "at" })
      .keyBy("item")
      .window(tumbling(1))
      .aggregate({ n: count() })
      .toView("v");
    expect(graphOf(plain).vertices.map(({ operator }) => operator)).toEqual([
      "source",
      "key",
      "window",
      "aggregate",
      "view",
    ]);
  });
});
