/** The HTTP reference: the OpenAPI document of the shop, a section for each route. */
import { account } from "../../examples/shop/src/account.ts";
import { salesPerMinute } from "../../examples/shop/src/sales.ts";
import { defineApp } from "../../sdk/index.ts";
import { openApiDocument } from "../../worker/openapi/document.ts";

type Members = Readonly<Record<string, unknown>>;
const METHODS = ["get", "post", "put", "delete"];

export function httpReference(): string {
  // One service stands for all: their routes differ in nothing but names and schemas.
  const app = defineApp({ services: [account], flows: [salesPerMinute] });
  const document = JSON.parse(JSON.stringify(openApiDocument(app))) as Members;
  const sections = Object.entries(document["paths"] as Members).flatMap(([path, item]) =>
    METHODS.filter((method) => method in (item as Members)).map((method) =>
      section(`${method.toUpperCase()} ${path}`, (item as Members)[method] as Members, item as Members, document),
    ),
  );
  return `# HTTP reference

Every app describes itself at \`/openapi.json\` (OpenAPI 3.1); this is what an app with the service \`account\`, the stream \`sales\` and the view \`sales-per-minute\` says. What the routes mean is told in [Calling services](../guide/calling.md) and [Streams, flows and views](../guide/flows.md).

${sections.join("\n")}`;
}

function section(name: string, operation: Members, item: Members, document: Members): string {
  const parameters = [...listOf(item["parameters"]), ...listOf(operation["parameters"])].map((one) =>
    resolved(one, document),
  );
  const rows = parameters.map(
    ({ name: parameter, in: place, description = "" }) =>
      `| \`${String(parameter)}\` | ${String(place)} | ${cell(description)} |`,
  );
  const bodies = Object.entries(((operation["requestBody"] as Members | undefined)?.["content"] ?? {}) as Members).map(
    ([type, content]) => `Body, \`${type}\`:\n\n${code((content as Members)["schema"], document)}`,
  );
  const answers = Object.entries(operation["responses"] as Members).map(([status, answer]) => {
    const { description = "" } = resolved(answer, document);
    return `| ${status} | ${cell(description)} |`;
  });
  return [
    `## ${name.replaceAll("{", "\\{").replaceAll("}", "\\}")}\n`,
    ...(typeof operation["description"] === "string" ? [`${operation["description"]}\n`] : []),
    ...(rows.length > 0 ? [`| parameter | in | |\n| --- | --- | --- |\n${rows.join("\n")}\n`] : []),
    ...bodies,
    `| answer | |\n| --- | --- |\n${answers.join("\n")}\n`,
  ].join("\n");
}

function code(schema: unknown, document: Members): string {
  return `\`\`\`json\n${JSON.stringify(resolved(schema, document), null, 2)}\n\`\`\`\n`;
}

function resolved(value: unknown, document: Members): Members {
  const reference = (value as Members | undefined)?.["$ref"];
  if (typeof reference !== "string") return (value ?? {}) as Members;
  return reference
    .slice(2)
    .split("/")
    .reduce<unknown>((found, part) => (found as Members)[part], document) as Members;
}
function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
/** Text of one cell of a table, with nothing in it that Markdown would take for its own. */
function cell(text: unknown): string {
  return String(text).replaceAll("|", "\\|").replaceAll("\n", " ").replaceAll("{", "\\{").replaceAll("<", "&lt;");
}
