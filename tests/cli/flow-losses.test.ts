/** What a deploy would lose of flows, from two documents as the real generator makes them. */
import { count, defineApp, flow, type FlowDefinition, sum, tumbling } from "tidegate";
import { expect, test } from "vitest";
import { losses } from "../../cli/check/flows.ts";
import { openApiDocument } from "../../worker/openapi/document.ts";
import { Visits } from "../support/visits.ts";

const base = (drops: string[] = [], name = "visits") => flow(name, { drops }).from(Visits, { time: "at" });
const perPage = (drops?: string[]) =>
  base(drops)
    .filter((e) => e.ms.gt(0))
    .keyBy("page")
    .window(tumbling("1m"));
const kernel = perPage().aggregate({ visits: count() }).toView("visits");
const totals = base()
  .keyBy("page")
  .aggregate({ ms: sum("ms") })
  .named("totals")
  .toView("totals");

const documentOf = (...flows: FlowDefinition[]): unknown =>
  JSON.parse(JSON.stringify(openApiDocument(defineApp({ services: [], flows }))));

test.each<[string, FlowDefinition[], FlowDefinition[], string[]]>([
  ["nothing changes", [kernel], [kernel], []],
  [
    "outputs and filters change",
    [kernel],
    [base().keyBy("page").window(tumbling("1m")).aggregate({ n: count() }).toView("visits")],
    [],
  ],
  [
    "an aggregate of the kernel changes",
    [kernel],
    [
      perPage()
        .aggregate({ visits: count(), ms: sum("ms") })
        .toView("visits"),
    ],
    ["aggregate-1"],
  ],
  [
    "it is named",
    [kernel],
    [
      perPage(["aggregate-1"])
        .aggregate({ ms: sum("ms") })
        .toView("visits"),
    ],
    ["aggregate-1 is named"],
  ],
  [
    "another flow makes operators of it",
    [kernel],
    [kernel, base([], "other").toView("other", { key: "page" })],
    ["aggregate-1"],
  ],
  ["an operator is gone", [totals], [base().toView("totals", { key: "page" })], ["totals"]],
  [
    "an operator is named otherwise",
    [totals],
    [
      base(["totals"])
        .keyBy("page")
        .aggregate({ ms: sum("ms") })
        .toView("totals"),
    ],
    ["totals is named"],
  ],
  ["a flow is gone", [totals], [], []],
  ["a flow is new", [], [totals], []],
])("when %s", (_, before, after, lost) => {
  const found = losses(documentOf(...before), documentOf(...after));
  expect(found.map(({ operator, named }) => operator + (named ? " is named" : ""))).toEqual(lost);
});

test("of documents that say nothing of flows nothing is said", () => {
  expect(losses({}, {})).toEqual([]);
  expect(losses(documentOf(totals), { openapi: "3.1.1" })).toEqual([]);
});
