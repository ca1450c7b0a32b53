/** Declared columns as the kernels take them: objects, members and attributes, with their names' bytes in one piece. */
import { eventTree, type EventTree } from "../event-tree.ts";
import type { EventColumn, EventFormat } from "../types.ts";
import { ATTRIBUTES, dataPath } from "../cloud-event.ts";
import { checkColumns } from "../window-plan.ts";
import { CHECKED, typeNumber } from "./plan.ts";

/** Numbers of assembly/events.ts. */
const FRAMING: Readonly<Record<EventFormat, number>> = {
  ndjson: 0,
  json: 1,
  cloudevents: 2,
  cloudevent: 3,
  object: 3,
};

export interface DeclareFunctions {
  eventsBegin(bodyLength: number, nameBytes: number, framing: number, mayRepeat: number): number;
  eventsObject(scope: number, name: number, length: number): number;
  eventsColumn(type: number, scope: number, name: number, length: number, hash: number): void;
  eventsAttribute(index: number, name: number, length: number): void;
  columnHash(name: number, length: number): number;
}

interface Name {
  readonly at: number;
  readonly bytes: number;
}
interface DeclaredColumn {
  readonly type: number;
  /** Which of the objects it is in; 0 is the event. */
  readonly scope: number;
  readonly member: Name;
  readonly own: Name;
  /** Of its own name, as frames have it; found when the declaration is first used. */
  hash: number;
}
/** Made once for each list of columns, of those that are kept, and format. */
export interface Declaration {
  readonly of: readonly EventColumn[];
  readonly framing: number;
  readonly names: Uint8Array;
  /** In such an order that an object's scope is known before it. */
  readonly objects: ReadonlyArray<{ readonly scope: number; readonly name: Name }>;
  readonly columns: readonly DeclaredColumn[];
  readonly attributes: readonly Name[];
  hashed: boolean;
}

const encoder = new TextEncoder();

/** Streams declare their columns once and send many batches: the work per declaration is kept with its array, which is not to be changed. */
const declarations = new WeakMap<readonly unknown[], Map<EventFormat, Declaration>>();

/** The declaration of such columns in such a format; of columns that `only` does not name values are checked and not kept. @throws RangeError `bad-columns: …` */
export function declarationOf(
  columns: readonly EventColumn[],
  format: EventFormat,
  only?: readonly string[],
): Declaration {
  let known = declarations.get(only ?? columns);
  const made = known?.get(format);
  if (made?.of === columns) return made;
  checkColumns(columns);
  const declaration = declarationFor(columns, format, only);
  if (known === undefined) declarations.set(only ?? columns, (known = new Map()));
  known.set(format, declaration);
  return declaration;
}

function declarationFor(
  columns: readonly EventColumn[],
  format: EventFormat,
  only: readonly string[] | undefined,
): Declaration {
  const enveloped = format === "cloudevent" || format === "cloudevents";
  const pieces: Uint8Array[] = [];
  let length = 0;
  const nameOf = (text: string): Name => {
    const bytes = encoder.encode(text);
    pieces.push(bytes);
    length += bytes.length;
    return { at: length - bytes.length, bytes: bytes.length };
  };
  const tree: EventTree = eventTree(columns, enveloped ? dataPath : undefined);
  const objects = tree.objects.map(({ scope, name }) => ({ scope, name: nameOf(name) }));
  const declared = columns.map((column, index): DeclaredColumn => {
    const { scope, name } = tree.members[index] as EventTree["members"][number];
    const type = typeNumber(column) + (only === undefined || only.includes(column.name) ? 0 : CHECKED);
    return { type, scope, member: nameOf(name), own: nameOf(column.name), hash: 0 };
  });
  const attributes = enveloped ? ATTRIBUTES.map(nameOf) : [];
  const names = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    names.set(piece, at);
    at += piece.length;
  }
  return { of: columns, framing: FRAMING[format], names, objects, columns: declared, attributes, hashed: false };
}

/** Begins a body of `length` bytes and declares what is to be read of it. `memory` gives the kernel's memory. See {@link ParseOptions.repeats}. */
export function declare(
  kernels: DeclareFunctions,
  memory: () => Uint8Array,
  { length, repeats }: { readonly length: number; readonly repeats: boolean },
  declaration: Declaration,
): void {
  const { names, objects, columns, attributes, framing } = declaration;
  const at = kernels.eventsBegin(length, names.length, framing, repeats ? 1 : 0);
  memory().set(names, at);
  if (!declaration.hashed) {
    for (const column of columns) column.hash = kernels.columnHash(at + column.own.at, column.own.bytes) >>> 0;
    declaration.hashed = true;
  }
  for (const { scope, name } of objects) kernels.eventsObject(scope, at + name.at, name.bytes);
  for (const { type, scope, member, hash } of columns) {
    kernels.eventsColumn(type, scope, at + member.at, member.bytes, hash);
  }
  for (const [index, name] of attributes.entries()) kernels.eventsAttribute(index, at + name.at, name.bytes);
}
