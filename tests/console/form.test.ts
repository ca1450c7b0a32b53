/** Forms of schemas that are within themselves. The page is another program, with types of its own: it is loaded by its path. */
import { contract, defineApp, fn, service } from "tidegate";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import { openApiDocument } from "../../worker/openapi/document.ts";

// Nothing is rendered here: a field has the state that it begins with.
vi.mock("preact/hooks", () => ({
  useState: (initial: unknown) => [typeof initial === "function" ? initial() : initial, () => undefined],
}));

const FORM = "../../console/parts/form.tsx";
interface Node {
  readonly type: string | ((props: unknown) => unknown);
  readonly props: { readonly children?: unknown; readonly id?: string };
}
interface Form {
  Field(props: object): unknown;
  initialOf(schema: object, schemas: unknown): unknown;
}

const parent = z.object({
  name: z.string(),
  get parent() {
    return parent.optional();
  },
  get children() {
    return z.array(parent);
  },
});
const schema = { $ref: "#/components/schemas/catalog.put.input" };

function schemasOf(input: z.ZodType): unknown {
  const made = service(contract("catalog", { put: fn({ input }) }), {}, { put: () => undefined });
  const document = JSON.parse(JSON.stringify(openApiDocument(defineApp({ services: [made] }))));
  return document.components.schemas;
}

/** The fields of a form, by their ids; text boxes of JSON are not looked into, since they have state. */
function shown(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap((one) => shown(one));
  if (typeof node !== "object" || node === null) return [];
  const { type, props } = node as Node;
  if (typeof type !== "function") return shown(props.children);
  if (["Raw", "Input"].includes(type.name)) return [`${props.id}: ${type.name}`];
  return shown(type(props));
}

test("a schema that is within itself has fields once, then JSON, and fields again for each item that is added", async () => {
  const { Field, initialOf } = (await import(FORM)) as Form;
  const schemas = schemasOf(parent);
  const value = initialOf(schema, schemas);
  expect(value).toEqual({ name: "", children: [] });
  const fieldsOf = (held: unknown): string[] =>
    shown({ type: Field, props: { schema, schemas, id: "x", name: "", isRequired: true, value: held } });
  expect(fieldsOf(value)).toEqual(["x-name: Input", "x-parent: Raw"]);
  expect(fieldsOf({ name: "", children: [value] })).toEqual([
    "x-name: Input",
    "x-parent: Raw",
    "x-children-0-name: Input",
    "x-children-0-parent: Raw",
  ]);
});

test("a schema that cannot do without itself begins with nothing in its place", async () => {
  const { initialOf } = (await import(FORM)) as Form;
  const endless: z.ZodType = z.object({
    get next() {
      return endless;
    },
  });
  expect(initialOf(schema, schemasOf(endless))).toEqual({ next: undefined });
});
