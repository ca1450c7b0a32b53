/** Fuzzing of batch routing: mutated lines to frames and faults as the twin makes them, wherever the body is cut into slices. */
import { routeBatch } from "../../core-wasm/facade/batch.ts";
import { routeBatch as routeTwin } from "../../core-wasm/reference/batch.ts";
import type { RouteOptions } from "../../core-wasm/types.ts";
import { mutate } from "../core-wasm/support/random.ts";
import { utf8 } from "../core-wasm/support/subjects.ts";
import { differ, type Target, withoutBytes } from "./target.ts";

interface Case {
  readonly body: Uint8Array;
  readonly options: RouteOptions;
  readonly slices: readonly number[];
}

const LINES = [
  '{"service":"account","key":"k1","function":"transfer","input":{"to":"k2","amount":3}}',
  " \r",
  "",
  '{"k\\u0065y":"k\\u0032\\n\\ud83d\\ude00é","service":"x","service":"account","function":"f","id":12}\r',
  '{"service":"account","key":"","function":"transfer"}',
  '{"service":"account","function":"transfer","a":[1,{"b":null}],"key":"0123456789abcdef0123456789abcdef"}',
  "[1]",
  '{"service":"a","key":"x\\ud800","function":"transfer"}',
  '{"service":"a","key":"b","function":"transfer","id":"é\\u00e9","input":"s\\ud800"}',
  '{"service":"a","key":"漢字","function":"tran","input" : -1.5e3 , "id":-7}',
  `{"service":"a","key":"${"é".repeat(256)}","function":"f"}`,
];
const ALPHABET = utf8('{}[]",:\\u0123eE+-. \n\r\tservickyfuntodp/é漢');
const SHORT = 60;

export const batch: Target<Case> = {
  make(random) {
    const text = Array.from({ length: random.int(8) }, () => random.pick(LINES)).join("\n");
    const body = random.int(10) === 0 ? random.bytes(random.int(200)) : mutate(utf8(text), 4, random, ALPHABET);
    const options = {
      spec: { kind: 3, version: 1, columns: 4, fields: 5 },
      groups: Uint16Array.from({ length: 2 ** random.int(7) }, () => random.int(5)),
      edgeId: "0123456789abcdefEDGE4567",
      clientScope: random.int(2) === 0 ? utf8("scope of caller!") : null,
      maxRows: 1 + random.int(6),
      maxBytes: 1 + random.int(1000),
      maxLines: random.int(20) === 0 ? 3 : 100,
    };
    // Every size of a slice cuts a short body at other places.
    const every = body.length < SHORT && random.int(4) === 0;
    const slices = every
      ? Array.from({ length: body.length + 1 }, (_, size) => size + 1)
      : [1 << 20, 1 + random.int(300)];
    return { body, options, slices };
  },
  check({ core }, { body, options, slices }) {
    for (const slice of slices) {
      const wrong = differ(routeBatch(core, body, options, slice), routeTwin(body, options, slice));
      if (wrong !== null) return `in slices of ${slice}: ${wrong}`;
    }
    return null;
  },
  *smaller(item) {
    for (const body of withoutBytes(item.body)) yield { ...item, body };
    if (item.slices.length > 1) for (const slice of item.slices) yield { ...item, slices: [slice] };
  },
  show: ({ body, options, slices }) =>
    JSON.stringify({
      body: Buffer.from(body).toString("latin1"),
      ...options,
      groups: [...options.groups],
      clientScope: options.clientScope === null ? null : "scope of caller!",
      slices,
    }) + " (body as Latin-1)",
};
