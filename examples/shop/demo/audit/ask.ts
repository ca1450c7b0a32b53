/** Reads what is stored, many queries to a request. */
import { type Call, type Outcome, outcomeOf } from "../calls.ts";
import type { Http } from "../http.ts";
import type { Level } from "../shelf.ts";

/** Lines of one batch of queries. */
const LINES = 300;

/** Runs queries; outcomes in the order of the calls, undefined for what is neither result nor refusal. */
export async function ask(http: Http, calls: readonly Call[]): Promise<Array<Outcome | undefined>> {
  const outcomes: Array<Outcome | undefined> = [];
  for (let at = 0; at < calls.length; at += LINES) {
    const lines = calls.slice(at, at + LINES);
    const body = lines.map((call) => JSON.stringify(call)).join("\n");
    const request = { method: "POST", path: "/v1/batch?ordered=1", body, type: "application/x-ndjson" } as const;
    const answer = await http.send({ ...request, idempotencyKey: crypto.randomUUID() });
    const results = answer.text.split("\n").filter((text) => text !== "");
    if (answer.status !== 200 || results.length !== lines.length)
      throw new Error(
        `queries were answered ${answer.status}, ${results.length} of ${lines.length}: ${answer.text.slice(0, 300)}`,
      );
    for (const text of results) {
      const { status, result, problem } = JSON.parse(text) as { status: number; result?: unknown; problem?: unknown };
      outcomes.push(outcomeOf(status, status === 200 ? result : problem));
    }
  }
  return outcomes;
}

/** Levels of articles. */
export async function readLevels(http: Http, keys: readonly string[]): Promise<Map<string, Level>> {
  const outcomes = await ask(
    http,
    keys.map((key) => ({ service: "stock", key, function: "level" })),
  );
  return new Map(
    keys.map((key, at) => {
      const outcome = outcomes[at];
      if (outcome === undefined || !("result" in outcome)) throw new Error(`the level of ${key} cannot be read`);
      return [key, outcome.result as Level];
    }),
  );
}
