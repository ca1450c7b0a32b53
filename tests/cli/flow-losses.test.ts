/** What a deploy would lose of flows, from two documents as the real generator makes them. */
import { count, defineApp, flow, type FlowDefinition, sinks, stream, sum, tumbling } from "tidegate";
import { expect, test } from "vitest";
import { losses } from "../../cli/check/flows.ts";
import { openApiDocument } from "../../worker/openapi/document.ts";
import { Visits } from "../support/visits.ts";

const Calls = stream("calls", Visits.fields);
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

const spread = (drops: string[]) => {
  const perPage = base(drops)
    .keyBy("page")
    .aggregate({ ms: sum("ms") })
    .named("totals");
  return sinks(
    perPage.toView("totals"),
    perPage.keyBy("ms").aggregate({ pages: count() }).named("spread").toView("spread"),
  );
};

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
  [
    "the kernel is to read another stream",
    [kernel],
    [
      flow("visits")
        .from(Calls, { time: "at" })
        .filter((e) => e.ms.gt(0))
        .keyBy("page")
        .window(tumbling("1m"))
        .aggregate({ visits: count() })
        .toView("visits"),
    ],
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
  ["an operator is added behind results that are taken back", [totals], [spread([])], ["totals"]],
  ["it and what it is behind begin together", [totals], [spread(["totals"])], ["totals is named"]],
  ["an operator goes from behind such results", [spread([])], [totals], ["spread"]],
  ["a flow is gone", [totals], [], []],
  ["a flow is new", [], [totals], []],
])("when %s", (_, before, after, lost) => {
  const found = losses(documentOf(...before), documentOf(...after));
  expect(found.map(({ operator, named }) => operator + (named ? " is named" : ""))).toEqual(lost);
});

test("names that objects have are no ties of anything", () => {
  const document = (id: string) => ({ "x-tidegate-flows": { f: { state: { constructor: id }, follows: {} } } });
  expect(losses(document("1"), document("1"))).toEqual([]);
  expect(losses(document("1"), document("2"))).toEqual([{ flow: "f", operator: "constructor", named: false }]);
});

test("of documents that say nothing of flows nothing is said", () => {
  expect(losses({}, {})).toEqual([]);
  expect(losses(documentOf(totals), { openapi: "3.1.1" })).toEqual([]);
});

test("what older code says of the kernel, without the stream, is the same", () => {
  const deployed = { "x-tidegate-flows": { f: { state: { "aggregate-1": "kernel {}" } } } };
  const next = { "x-tidegate-flows": { f: { state: { "aggregate-1": "kernel {}" }, stream: "visits" } } };
  expect(losses(deployed, next)).toEqual([]);
});
