/** The table of the page on event time, played: its flow, its batches and what the view shows behind them. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import type { FlowDefinition } from "../../sdk/index.ts";
import { FlowBench } from "../protocol/support/flow-bench.ts";

const ROOT = resolve(import.meta.dirname, "../..");

test("the table of event time is as the page says", async () => {
  const page = await readFile(join(ROOT, "docs/guide/event-time.md"), "utf8");
  const blocks = [...page.matchAll(/^```(ts|ndjson|json)\n(.*?)^```$/gms)].map(([, kind = "", text = ""]) => ({
    kind,
    text,
  }));
  const [code, ...table] = blocks;
  const folder = await mkdtemp(join(ROOT, "tests/docs/.run-"));
  try {
    const file = join(folder, "readings.ts");
    await writeFile(file, (code?.text ?? "").replaceAll('"tidegate"', JSON.stringify(join(ROOT, "sdk/index.ts"))));
    const { perTenSeconds } = (await import(pathToFileURL(file).href)) as { perTenSeconds: FlowDefinition };
    const bench = new FlowBench(perTenSeconds);
    let shown = 0;
    for (const { kind, text } of table) {
      if (kind === "json") {
        shown += 1;
        expect([shown, await bench.view("per-ten-seconds", "per-ten-seconds")]).toEqual([shown, JSON.parse(text)]);
      } else {
        const events = text
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as object);
        await bench.ingest("readings", events);
      }
    }
    expect(shown).toBe(3);
    expect(await bench.late("per-ten-seconds")).toEqual([{ meter: "a", value: 100, at: 3_000 }]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
