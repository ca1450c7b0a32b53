/** The order of pages, which is that of docs/README.md. Guides that are not named come behind those that are. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

const DOCS = join(import.meta.dirname, "../docs");

interface Group {
  readonly label: string;
  readonly items: string[];
}

const NAMED: Group[] = [
  { label: "Begin", items: ["index", "quick-start", "guarantees", "comparison"] },
  {
    label: "Guides",
    items: [
      "guide/services",
      "guide/calling",
      "guide/clients",
      "guide/events",
      "guide/flows",
      "guide/event-time",
      "guide/messages",
      "guide/promises-and-sagas",
      "guide/effects",
      "guide/door",
      "guide/testing",
      "guide/command-line",
      "guide/observing",
      "guide/console",
      "guide/operating",
    ],
  },
  { label: "Reference", items: ["reference/http", "reference/sdk"] },
  { label: "How it works", items: ["architecture", "protocol", "formats", "testing", "performance"] },
];

const named = new Set(NAMED.flatMap(({ items }) => items));
const others = (folder: string, prefix: string): string[] =>
  readdirSync(join(DOCS, folder))
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .map((name) => prefix + name.replace(/\.md$/, ""))
    .filter((slug) => !named.has(slug));

export const SIDEBAR: Group[] = NAMED.map(({ label, items }) => {
  if (label === "Guides") return { label, items: [...items, ...others("guide", "guide/")] };
  return { label, items: label === "How it works" ? [...items, ...others("", "")] : items };
});
