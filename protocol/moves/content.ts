/** What a piece of a move holds, as text: a JSON line of numbers for each item, then all texts one behind the other. */
import { fromBase64, toBase64 } from "../../sdk/base64.ts";
import { packId, type StoredResult, unpackId } from "../results/stored-result.ts";
import type { Write } from "../state/store.ts";

export type MoveItem =
  | { readonly kind: "write"; readonly write: Write }
  | { readonly kind: "result"; readonly result: StoredResult }
  /** Which edge ids the source may have forgotten. */
  | { readonly kind: "forgotten"; readonly text: string }
  /** A part of a block of closed windows of a flow. */
  | {
      readonly kind: "block";
      readonly flow: string;
      readonly block: number;
      readonly part: number;
      readonly through: bigint;
      readonly bytes: Uint8Array;
    }
  /** A part of the state of a flow. */
  | {
      readonly kind: "flow";
      readonly flow: string;
      readonly part: number;
      readonly parts: number;
      readonly meta: string;
      readonly bytes: Uint8Array;
    };

const WRITES = ["put", "delete", "clear"] as const;
/** First number of an item: what it is. Numbers are sent between versions of the code: never reuse one. */
const CODE = { result: 3, forgotten: 4, block: 5, flow: 6 } as const;

/** Collects items for one piece. */
export class MoveContent {
  readonly #numbers: number[][] = [];
  readonly #texts: string[] = [];
  #units = 0;

  get units(): number {
    return this.#units;
  }
  get isEmpty(): boolean {
    return this.#numbers.length === 0;
  }

  add(item: MoveItem): void {
    switch (item.kind) {
      case "write":
        return this.#add([WRITES.indexOf(item.write.op)], item.write.key, item.write.text);
      case "result": {
        const { status, fingerprintLow, fingerprintHigh, body, group = -1 } = item.result;
        return this.#add([CODE.result, status, fingerprintLow, fingerprintHigh, group], packId(item.result), body);
      }
      case "forgotten":
        return this.#add([CODE.forgotten], item.text);
      case "block":
        return this.#add([CODE.block, item.block, item.part], item.flow, item.through.toString(), toBase64(item.bytes));
      case "flow":
        return this.#add([CODE.flow, item.part, item.parts], item.flow, item.meta, toBase64(item.bytes));
    }
  }

  #add(numbers: number[], ...texts: string[]): void {
    this.#numbers.push([...numbers, ...texts.map(({ length }) => length)]);
    this.#texts.push(...texts);
    for (const { length } of texts) this.#units += length;
  }

  encode(): string {
    return `${JSON.stringify(this.#numbers)}\n${this.#texts.join("")}`;
  }
}

/** Numbers of an item before the lengths of its texts. */
const FIXED = new Map<number, number>([
  [CODE.result, 5],
  [CODE.block, 3],
  [CODE.flow, 3],
]);

export function decodeContent(content: string): MoveItem[] {
  const end = content.indexOf("\n");
  const items = JSON.parse(content.slice(0, end)) as number[][];
  let at = end + 1;
  const take = (length: number) => content.slice(at, (at += length));
  return items.map((numbers) => itemOf(numbers, numbers.slice(FIXED.get(numbers[0] as number) ?? 1).map(take)));
}

function itemOf(numbers: readonly number[], texts: readonly string[]): MoveItem {
  const [code, a = 0, b = 0, c = 0, group = -1] = numbers;
  const [first = "", second = "", third = ""] = texts;
  switch (code) {
    case CODE.result: {
      const known = group < 0 ? {} : { group };
      const result = { ...unpackId(first), status: a, fingerprintLow: b, fingerprintHigh: c, body: second, ...known };
      return { kind: "result", result };
    }
    case CODE.forgotten:
      return { kind: "forgotten", text: first };
    case CODE.block:
      return {
        kind: "block",
        flow: first,
        block: a,
        part: b,
        through: BigInt(second),
        bytes: fromBase64(third),
      };
    case CODE.flow:
      return { kind: "flow", flow: first, part: a, parts: b, meta: second, bytes: fromBase64(third) };
    default: {
      const op = WRITES[code as number];
      if (op === undefined) throw new Error(`an item of unknown kind ${code}`);
      return { kind: "write", write: { op, key: first, text: second } };
    }
  }
}
