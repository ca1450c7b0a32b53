/** The example of docs/guide/flows.md with all other operators, run. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Contract, type FlowDefinition, service } from "../../sdk/index.ts";
import { LonePartition } from "../protocol/support/lone-partition.ts";
import { openPage, type Page } from "./support/page.ts";

let page: Page;
beforeAll(async () => {
  page = await openPage("docs/guide/flows.md");
});
afterAll(() => page.remove());

test("every operator gives what the page says", async () => {
  const { pages, Titles } = await page.module<{ pages: FlowDefinition; Titles: Contract }>("pages.ts");
  const titles = service(Titles, {}, { title: (ctx: { key: string }) => (ctx.key === "/a" ? "A page" : "") } as never);
  const partition = new LonePartition([titles], { flows: [pages] });
  const at = 60_000;
  await partition.ingest("prices", [
    { page: "/a", cents: 5, at },
    { page: "/a/b", cents: 8, at },
  ]);
  await partition.ingest("visits", [
    { page: "/a", tags: "x y", ms: 10, at: at + 1 },
    { page: "/a/b", tags: "y", ms: 90, at: at + 2 },
    { page: "no page", tags: "z", ms: 999, at: at + 3 },
  ]);
  await partition.ingest("prices", [{ page: "/a", cents: 6, at: at + 4 }]);
  await partition.ingest("visits", [{ page: "/a", tags: "", ms: 20, at: at + 60_000 }]);
  await partition.ingest("prices", [{ page: "/c", cents: 1, at: at + 60_000 }]);
  const rows = async (view: string): Promise<unknown> => {
    const input = { flow: "pages", view, limit: 100 };
    const answer = await partition.call({ service: "#view", key: "visits", name: "view", internal: true, input });
    return (JSON.parse(answer.body) as { readonly rows: unknown }).rows;
  };
  expect(await rows("tags")).toEqual([
    { tag: "", pages: 1, depth: 1 },
    { tag: "x", pages: 1, depth: 1 },
    { tag: "y", pages: 2, depth: 3 },
  ]);
  expect(await rows("histories")).toEqual([
    { page: "/a", began: "price", now: "visit" },
    { page: "/a/b", began: "price", now: "visit" },
    { page: "/c", began: "price", now: "price" },
  ]);
  expect(await rows("slowest")).toEqual([{ slowest: "/a/b" }]);
  expect(await rows("visits-by-the-clock")).toMatchObject([
    { key: "/a", visits: 2 },
    { key: "/a/b", visits: 1 },
  ]);
  expect(await rows("titles")).toEqual([{ page: "/a", title: "A page" }]);
  expect(await rows("priced")).toEqual([
    { page: "/a", cents: 5, at: at + 1 },
    { page: "/a", cents: 6, at: at + 60_000 },
    { page: "/a/b", cents: 8, at: at + 2 },
  ]);
  expect(await rows("priced-by-the-minute")).toEqual([
    { page: "/a", cents: 5 },
    { page: "/a", cents: 6 },
    { page: "/a/b", cents: 8 },
  ]);
  expect(await rows("all-prices")).toEqual([
    { page: "/a", cents: 5 },
    { page: "/a", cents: 6 },
    { page: "/a/b", cents: 8 },
  ]);
});
