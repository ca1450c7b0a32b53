/** Messages of queues as events: each once, whatever comes with it. */
import { describe, expect, test } from "vitest";
import { illegible } from "../app/src/operators.ts";
import { leftovers, queue, send } from "./support/app.ts";

const message = (id: string, body: unknown) => ({ id, timestamp: new Date(), attempts: 1, body });
const retried = async (name: string, messages: readonly object[]) =>
  (await queue(name, messages)).retryMessages.map(({ msgId }) => msgId);
async function count(view: string, key: string): Promise<number> {
  const response = await send(`/v1/views/${view}/${key}`);
  const { rows } = (await response.json()) as { rows: Array<{ n: number }> };
  return rows[0]?.n ?? 0;
}
const note = (who: string, at = 1) => ({ who, at });
const letter = (name: string) => ({ letter: name, grams: 1, at: 1 });
const sent = (id: string, name: string) => ({ id, at: 1, data: letter(name) });

describe("messages of a queue", () => {
  test("that are there twice are one event, in one batch as in two, by what they are known by", async () => {
    const first = [message("q1", sent("e-0", "q-twice")), message("q2", sent("e-0", "q-twice"))];
    expect(await retried("letters-queue", first)).toEqual([]);
    expect(await count("letters-arrived", "q-twice")).toBe(1);
    expect(await retried("letters-queue", [message("q3", sent("e-0", "q-twice")), ...first])).toEqual([]);
    expect(await count("letters-arrived", "q-twice")).toBe(1);
    expect(await retried("note-queue", [message("n1", note("q-same")), message("n1", note("q-same"))])).toEqual([]);
    expect(await count("noted", "q-same")).toBe(1);
  });

  test("may have ids of any text", async () => {
    for (const [at, id] of ["x".repeat(100_000), "\ud800", "", "#".repeat(257)].entries()) {
      const twice = [message(`l${at}`, sent(id, `q-long-${at}`)), message(`m${at}`, sent(id, `q-long-${at}`))];
      expect(await retried("letters-queue", twice)).toEqual([]);
      expect(await count("letters-arrived", `q-long-${at}`)).toBe(1);
    }
    // They are not one and the same.
    const [a, b] = ["x".repeat(300) + "a", "x".repeat(300) + "b"];
    await retried("letters-queue", [message("o1", sent(a, "q-apart")), message("o2", sent(b, "q-apart"))]);
    expect(await count("letters-arrived", "q-apart")).toBe(2);
  });

  test.each<[string, unknown, number]>([
    ["text", '{"who":"q-text","at":1}', 1],
    ["text of several lines", '{"who":"q-lines",\r\n"at":1}\n', 1],
    ["bytes", new TextEncoder().encode('{"who":"q-bytes","at":1}'), 1],
    ["two events", '{"who":"q-two","at":1}\n{"who":"q-two","at":1}', 0],
    ["text with a line feed within a string, which is no JSON", '{"who":"q-feed\n","at":1}', 0],
    ["nothing", "", 0],
    ["null", null, 0],
    ["a list", [note("q-list")], 0],
  ])("are taken as %s, or not", async (name, body, taken) => {
    expect(await retried("note-queue", [message(`body ${name}`, body)])).toEqual(taken === 1 ? [] : [`body ${name}`]);
  });

  test("on which a flow fails hold up none that came with them, and are taken when it does not any more", async () => {
    illegible.add("q-bad");
    const all = ["q-good", "q-bad", "q-good", "q-bad", "q-other"].map((who, at) => message(`f${at}`, note(who)));
    expect(await retried("note-queue", all)).toEqual(["f1", "f3"]);
    expect([await count("noted", "q-good"), await count("noted", "q-bad"), await count("noted", "q-other")]).toEqual([
      2, 0, 1,
    ]);
    illegible.delete("q-bad");
    expect(await retried("note-queue", all)).toEqual([]);
    expect([await count("noted", "q-good"), await count("noted", "q-bad"), await count("noted", "q-other")]).toEqual([
      2, 2, 1,
    ]);
    expect(await leftovers()).toBe(0);
  });
});
