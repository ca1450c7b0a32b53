/** What a deploy would lose of flows, from two documents as the real generator makes them. */
import { count, defineApp, flow, type FlowDefinition, sinks, stream, sum, tumbling } from "tidegate";
import { expect, test } from "vitest";
import { losses, strayed } from "../../cli/check/flows.ts";
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

const counts = (...pages: string[]) => {
  const from = base();
  return sinks(
    ...(pages.map((page) =>
      from
        .filter((e) => e.page.eq(page))
        .keyBy("page")
        .aggregate({ n: count() })
        .toView(page),
    ) as [FlowDefinition, ...FlowDefinition[]]),
  );
};

test.each<[string, FlowDefinition, FlowDefinition, string[]]>([
  ["they stay", counts("a", "b"), counts("a", "b"), []],
  [
    "they trade places",
    counts("a", "b"),
    counts("b", "a"),
    ["a: aggregate-1, aggregate-2", "b: aggregate-2, aggregate-1"],
  ],
  ["another one comes before", counts("a"), counts("b", "a"), ["a: aggregate-1, aggregate-2"]],
  ["another one comes behind", counts("a"), counts("a", "b"), []],
  ["a view is given another name", counts("a"), counts("b"), []],
  ["one of them goes", counts("a", "b"), counts("b"), ["b: aggregate-2, aggregate-1"]],
])("of operators that are defined alike, which of them leads where: %s", (_, before, after, told) => {
  const found = strayed(documentOf(before), documentOf(after));
  expect(found.map(({ end, from, to }) => `${end.slice(6, -1)}: ${from}, ${to}`)).toEqual(told);
});

test("operators that have names go where these are", () => {
  const all = base().keyBy("page");
  const one = (...names: [string, string]) => {
    const [first, second] = names.map((name) => all.aggregate({ n: count() }).named(name).toView(name));
    return sinks(first as FlowDefinition, second as FlowDefinition);
  };
  expect(strayed(documentOf(one("x", "y")), documentOf(one("y", "x")))).toEqual([]);
});

test("what is lost only with another operator says with which", () => {
  expect(losses(documentOf(totals), documentOf(spread([])))).toEqual([
    { flow: "visits", operator: "totals", with: "spread", named: false },
  ]);
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
