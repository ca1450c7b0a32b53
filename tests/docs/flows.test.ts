/** Examples of flows played: the code of a page, the batches that it shows, and what the views show behind them. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import type { FlowDefinition } from "../../sdk/index.ts";
import { FlowBench } from "../protocol/support/flow-bench.ts";

const ROOT = resolve(import.meta.dirname, "../..");

interface Block {
  readonly kind: string;
  readonly text: string;
}

/** Blocks of code and data of a part of a page. */
async function blocksOf(page: string, heading?: string): Promise<Block[]> {
  const whole = await readFile(join(ROOT, "docs/guide", page), "utf8");
  const [, part] = heading === undefined ? ["", whole] : whole.split(`\n## ${heading}\n`);
  const text = heading === undefined ? whole : ((part ?? "").split("\n## ")[0] ?? "");
  return Array.from(text.matchAll(/^```(ts|ndjson|json)\n(.*?)^```$/gms), ([, kind = "", code = ""]) => ({
    kind,
    text: code,
  }));
}

/** What a page's module exports. */
async function exportsOf(code: string): Promise<Readonly<Record<string, FlowDefinition>>> {
  const folder = await mkdtemp(join(ROOT, "tests/docs/.run-"));
  try {
    const file = join(folder, "example.ts");
    await writeFile(file, code.replaceAll('"tidegate"', JSON.stringify(join(ROOT, "sdk/index.ts"))));
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, FlowDefinition>>;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Plays batches of events, and compares what the page says that the view shows. Returns how often it did. */
async function play(
  bench: FlowBench,
  { stream, flow, view }: { readonly stream: string; readonly flow: string; readonly view: string },
  blocks: readonly Block[],
): Promise<number> {
  let shown = 0;
  for (const { kind, text } of blocks) {
    if (kind === "json") {
      shown += 1;
      expect([shown, await bench.view(flow, view)]).toEqual([shown, JSON.parse(text)]);
    } else {
      const lines = text.trim().split("\n");
      await bench.ingest(
        stream,
        lines.map((line) => JSON.parse(line) as object),
      );
    }
  }
  return shown;
}

test("the table of event time is as the page says", async () => {
  const [code, ...table] = await blocksOf("event-time.md");
  const { perTenSeconds } = await exportsOf(code?.text ?? "");
  const bench = new FlowBench(perTenSeconds as FlowDefinition);
  const of = { stream: "readings", flow: "per-ten-seconds", view: "per-ten-seconds" };
  expect(await play(bench, of, table)).toBe(3);
  expect(await bench.late("per-ten-seconds")).toEqual([{ meter: "a", value: 100, at: 3_000 }]);
});

test("events with boolean, optional and nested fields are taken as the page says", async () => {
  const [code, ...table] = await blocksOf("events.md", "Fields");
  const { byCountry } = await exportsOf(code?.text ?? "");
  const bench = new FlowBench(byCountry as FlowDefinition);
  expect(await play(bench, { stream: "orders", flow: "by-country", view: "by-country" }, table)).toBe(1);
});
