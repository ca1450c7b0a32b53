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

/** The line for one whose input no call may bring. */
export function tooLargeLine(line: number, limit: number): string {
  const detail = `the input of line ${line} is larger than ${limit} bytes, which is what a call takes`;
  return problemLine(line, problemOf("body-too-large", detail, { limit }));
}

function faultProblem({ line, offset, code, member }: BatchFault): Problem {
  const members = { offset, code };
  if (code === "key-too-large") return problemOf("key-too-large", undefined, members);
  if (code === "line-too-large") return problemOf("body-too-large", `line ${line} is too large for a message`, members);
  if (member === "key" && code !== "missing")
    return problemOf("invalid-key", `the key of line ${line}: ${code}`, members);
  if (member !== undefined) {
    return problemOf("invalid-line", `line ${line}, member "${member}": ${code}`, { ...members, member });
  }
  if (code === "not-object") return problemOf("invalid-line", `line ${line} is not an object`, members);
  return problemOf("malformed-json", `line ${line} is not JSON at byte ${offset} of the batch: ${code}`, members);
}
