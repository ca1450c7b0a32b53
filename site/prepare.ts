/** Makes the site's pages from docs/, the README, the shop's OpenAPI document and the SDK's docstrings. Run by `npm run build`. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, posix, resolve } from "node:path";
import { httpReference } from "./reference/http.ts";
import { sdkReference } from "./reference/sdk.ts";
import { SIDEBAR } from "./sidebar.ts";

const ROOT = resolve(import.meta.dirname, "..");
const OUT = resolve(import.meta.dirname, "src/content/docs");

interface Page {
  /** Path without its ending: `guide/services`. */
  readonly slug: string;
  readonly markdown: string;
}

async function docsPages(): Promise<Page[]> {
  const names = await readdir(join(ROOT, "docs"), { recursive: true });
  const pages = names.filter((name) => name.endsWith(".md") && name !== "README.md");
  return Promise.all(
    pages.map(async (name) => ({
      slug: name.replace(/\.md$/, ""),
      markdown: await readFile(join(ROOT, "docs", name), "utf8"),
    })),
  );
}

/** The README's own words, without what is only of use in the repository. */
async function readmePages(): Promise<Page[]> {
  const readme = await readFile(join(ROOT, "README.md"), "utf8");
  const sections = readme.split(/^(?=## )/m);
  const named = (name: string): string => {
    const found = sections.find((section) => section.startsWith(`## ${name}\n`));
    if (found === undefined) throw new Error(`the README has no section "${name}"`);
    return found;
  };
  const first = [sections[0], ...["Start your own", "A service", "Calling it", "Deploying it"].map(named)].join("");
  return [
    { slug: "index", markdown: first },
    { slug: "guarantees", markdown: named("What is guaranteed").replace("## ", "# ") },
  ].map(({ slug, markdown }) => ({
    slug,
    markdown: markdown.replaceAll("](docs/", "](").replaceAll("](README.md", "](index.md"),
  }));
}

/** Links to pages of the site become addresses in it; those to files of the repository become plain text. */
function linked({ slug, markdown }: Page, slugs: ReadonlySet<string>): string {
  return markdown.replaceAll(
    /\[([^\]]*)\]\((?!https?:|#)([^)#\s]+)(#[^)]*)?\)/g,
    (_, text: string, target: string, hash = "") => {
      const path = posix.normalize(posix.join(posix.dirname(slug), target.replace(/\.md$/, "")));
      const named =
        path.endsWith("README") && hash === "#what-is-guaranteed"
          ? "guarantees"
          : path.replace(/(?:^|.*\/)README$/, "index");
      if (!slugs.has(named)) return text;
      return `[${text}](/${named === "index" ? "" : `${named}/`}${named === "guarantees" ? "" : hash})`;
    },
  );
}

/** Title and body: a page of the site has its first heading in front. */
function shaped(page: Page, slugs: ReadonlySet<string>): string {
  const [, title] = /^# (.+)$/m.exec(page.markdown) ?? [];
  if (title === undefined) throw new Error(`${page.slug} has no heading`);
  const body = linked({ ...page, markdown: page.markdown.replace(/^# .+\n/m, "") }, slugs);
  return `---\ntitle: ${JSON.stringify(title)}\n---\n${body}`;
}

const references: Page[] = [
  { slug: "reference/http", markdown: httpReference() },
  { slug: "reference/sdk", markdown: await sdkReference(ROOT) },
];
const pages = [...(await readmePages()), ...(await docsPages()), ...references];
const slugs = new Set(pages.map(({ slug }) => slug));
const listed = SIDEBAR.flatMap(({ items }) => items);
const missing = [...slugs].filter((slug) => !listed.includes(slug));
if (missing.length > 0) throw new Error(`pages that site/sidebar.ts does not list: ${missing.join(", ")}`);
await rm(OUT, { recursive: true, force: true });
for (const page of pages) {
  const file = join(OUT, `${page.slug}.md`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, shaped(page, slugs));
}
console.log(`${pages.length} pages`);
