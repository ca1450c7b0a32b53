/** The NDJSON lines that a batch is answered with: concatenated text, since bodies come as JSON text already. */
import type { BatchFault } from "../../core-wasm/types.ts";
import { problemOf, type Problem } from "../../sdk/problems.ts";

/** One line: its number, an HTTP status, and the JSON text of the result (status 200) or problem. */
export function resultLine(line: number, status: number, body: string, replayed: boolean): string {
  const member = status === 200 ? "result" : "problem";
  return `{"line":${line},"status":${status},"${member}":${body}${replayed ? ',"replayed":true' : ""}}\n`;
}

/** The end of a problem's line, made once for all lines that it ends. */
export function problemLine(line: number, problem: Problem, text: string = JSON.stringify(problem)): string {
  return resultLine(line, problem.status, text, false);
}

/** The line for one that could not be routed. */
export function faultLine(fault: BatchFault): string {
  return problemLine(fault.line, faultProblem(fault));
}

function faultProblem({ line, offset, code, member }: BatchFault): Problem {
  if (member === undefined && code !== "not-object") {
    return problemOf("malformed-json", `line ${line} is not JSON at byte ${offset} of the batch: ${code}`, {
      offset,
      code,
    });
  }
  if (code === "key-too-large") return problemOf("key-too-large", undefined, { offset, code });
  if (member === "key" && code !== "missing")
    return problemOf("invalid-key", `the key of line ${line}: ${code}`, { offset, code });
  const what = member === undefined ? "" : `, member "${member}"`;
  return problemOf("invalid-line", `line ${line}${what}: ${code}`, {
    offset,
    code,
    ...(member === undefined ? {} : { member }),
  });
}
