/** Reads the NDJSON that a batch is answered with, without parsing its JSON: a line begins with its number and its status. */

/** Called for each line with where it lies in the body. */
export type OnLine = (line: number, status: number, start: number, end: number) => void;

const NEWLINE = 10;
const ZERO = 48;
const LINE_PREFIX = '{"line":'.length;
const STATUS_PREFIX = ',"status":'.length;
const REPLAYED = Buffer.from(',"replayed":true}');

export function readResults(body: Buffer, onLine: OnLine): void {
  for (let start = 0; start < body.length;) {
    const end = body.indexOf(NEWLINE, start);
    if (end < 0) throw new Error("the last line of a batch's answer is not whole");
    let at = start + LINE_PREFIX;
    let line = 0;
    for (let digit = digitAt(body, at); digit >= 0; digit = digitAt(body, ++at)) line = line * 10 + digit;
    at += STATUS_PREFIX;
    const status = digitAt(body, at) * 100 + digitAt(body, at + 1) * 10 + digitAt(body, at + 2);
    onLine(line, status, start, end);
    start = end + 1;
  }
}

/** The digit there, or -1. */
function digitAt(body: Buffer, at: number): number {
  const digit = (body[at] ?? 0) - ZERO;
  return digit <= 9 ? Math.max(digit, -1) : -1;
}

/** The text of each line by its number, the mark of a replay taken off, and how many had it. */
export function linesOf(body: Buffer): { readonly texts: ReadonlyMap<number, string>; readonly replayed: number } {
  const texts = new Map<number, string>();
  let replayed = 0;
  readResults(body, (line, _status, start, end) => {
    const marked = body.subarray(end - REPLAYED.length, end).equals(REPLAYED);
    if (marked) replayed += 1;
    texts.set(line, body.toString("latin1", start, marked ? end - REPLAYED.length : end - 1));
  });
  return { texts, replayed };
}
