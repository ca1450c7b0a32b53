/** Apps as a whole: unique names, shared streams, and sound partition counts. */

import { describe, expect, test } from "vitest";
import * as z from "zod";
import {
  contract,
  count,
  defineApp,
  flow,
  fn,
  query,
  service,
  stream,
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";
import type { FlowDefinition, StreamDefinition } from "../../sdk/index.ts";

const Clicks = stream("clicks", { page: text(), at: timestamp() });
const pageFlow = (name: string, view: string, source = Clicks): FlowDefinition =>
  flow(name)
    .from(source, { time: "at" })
    .keyBy("page")
    .window(tumbling("1s"))
    .aggregate({ clicks: count() })
    .toView(view);
const echo = service(contract("echo", { say: fn() }), {}, { say() {} });
const misconfigured = (message: RegExp): unknown =>
  expect.objectContaining({ type: "misconfigured", message: expect.stringMatching(message) });

describe("defineApp", () => {
  test("indexes services, flows, their views and their streams by name", () => {
    const [first, second] = [pageFlow("one", "view-one"), pageFlow("two", "view-two")];
    const app = defineApp({ services: [echo], flows: [first, second] });
    expect(app.services.get("echo")).toBe(echo);
    expect(app.flows.get("one")).toBe(first);
    expect(app.views.get("view-two")?.flow).toBe(second);
    expect(Array.from(app.streams)).toEqual([["clicks", Clicks]]);
    expect(app.partitions).toBe(4);
  });

  test("refuses names that two share", () => {
    const one = pageFlow("one", "view-one");
    expect(() => defineApp({ services: [echo, echo] })).toThrow(misconfigured(/the service name "echo"/));
    expect(() => defineApp({ services: [], flows: [one, pageFlow("one", "other")] })).toThrow(
      misconfigured(/the flow name "one"/),
    );
    expect(() => defineApp({ services: [], flows: [one, pageFlow("two", "view-one")] })).toThrow(
      misconfigured(/the view name/),
    );
  });

  test("refuses a flow that calls a service, or asks one, that is not there", () => {
    const Ears = contract("ears", { hear: fn(), heard: query({ output: z.string() }) });
    const ears = service(Ears, { state: () => "" }, { hear: () => undefined, heard: (ctx) => ctx.state });
    const clicks = flow("clicks").from(Clicks, { time: "at" });
    const calls = clicks.call(Ears, "hear", { key: (e) => e.page });
    const fields = { page: text() };
    const asks = clicks
      .lookup(Ears, "heard", { key: (e) => e.page, fields, select: ({ page }) => ({ page }) })
      .toView("heard", { key: "page" });
    for (const flows of [[calls], [asks]]) {
      expect(() => defineApp({ services: [echo], flows })).toThrow(
        misconfigured(/flow "clicks" calls service "ears": list it in the app's services/),
      );
      expect(() => defineApp({ services: [ears], flows })).not.toThrow();
    }
  });

  test("refuses two different streams of one name", () => {
    const Other: StreamDefinition<(typeof Clicks)["fields"], "clicks"> = stream("clicks", {
      page: text(),
      at: timestamp(),
    });
    const flows = [pageFlow("one", "view-one"), pageFlow("two", "view-two", Other)];
    expect(() => defineApp({ services: [], flows })).toThrow(misconfigured(/two streams have the name "clicks"/));
  });

  test("takes a deadline of transactions, in text or milliseconds, or leaves it to the engine", () => {
    const deadline = (transactionDeadline?: "5s" | number) =>
      defineApp({ services: [], ...(transactionDeadline !== undefined && { transactionDeadline }) })
        .transactionDeadlineMs;
    expect([deadline(), deadline("5s"), deadline(29_000), deadline(1_000)]).toEqual([undefined, 5_000, 29_000, 1_000]);
  });
  test.each(["29001ms", "30s", "999ms", "0s", 0, "soon"])("refuses a deadline of %s", (text) => {
    expect(() => defineApp({ services: [], transactionDeadline: text as "5s" })).toThrow(
      misconfigured(/transactionDeadline/),
    );
  });

  test.each([1, 256])("takes %d partitions", (partitions) => {
    expect(defineApp({ services: [], partitions }).partitions).toBe(partitions);
  });
  test.each([0, 257, 1.5, NaN, "4" as never])("refuses %s partitions", (partitions) => {
    expect(() => defineApp({ services: [], partitions })).toThrow(
      misconfigured(/partitions must be a whole number from 1 to 256/),
    );
  });
});
