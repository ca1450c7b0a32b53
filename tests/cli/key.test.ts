/** `npx tidegate key`: the door takes what it makes. */
import { expect, test } from "vitest";
import { run } from "../../cli/run.ts";
import { StaticKeys } from "../../worker/door/static-keys.ts";

async function keyOf(
  ...args: string[]
): Promise<{ readonly code: number; readonly out: string[]; readonly err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const stdin = (async function* () {})();
  const code = await run(["key", ...args], {
    cwd: "/",
    env: {},
    stdin,
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out, err: err.join("\n") };
}

test("makes a key that the door knows by the entry", async () => {
  const { code, out } = await keyOf(
    "importer",
    "--tenant",
    "acme",
    "--roles",
    "read, metrics",
    "--expires",
    "2027-01-31",
  );
  const [key = "", entry = ""] = out;
  expect([code, out.length]).toEqual([0, 2]);
  expect(entry).not.toContain(key);
  const keys = new StaticKeys(`[${entry}]`);
  const before = Date.parse("2027-01-30");
  expect(keys.find(key, before)).toMatchObject({ subject: "importer", tenant: "acme", roles: ["read", "metrics"] });
  expect(keys.find(key, Date.parse("2027-02-01"))).toBeUndefined();
  expect(keys.find(`${key}x`, before)).toBeUndefined();
});

test("makes another key each time, of nothing but a name", async () => {
  const [one, other] = [await keyOf("a"), await keyOf("a")];
  expect(one.out[0]).toMatch(/^tgk_[\w-]{43}$/);
  expect(one.out[0]).not.toBe(other.out[0]);
  expect(new StaticKeys(`[${one.out[1]}]`).find(one.out[0] ?? "", 0)).toMatchObject({ roles: [] });
});

test.each([
  [],
  [""],
  ["a", "--expires", "soon"],
  ["a", "b"],
  ["a", "--roles", ""],
  ["a", "--tenant", ""],
  ["a", "--expires="],
  ["a", "--roles", "read, ,metrics"],
  ["a", "--tenant", "ac\nme"],
  ["a", "--tenant", "t".repeat(129)],
])("%j makes no sense", async (...args) => {
  expect(await keyOf(...args)).toMatchObject({ code: 2, out: [] });
});
