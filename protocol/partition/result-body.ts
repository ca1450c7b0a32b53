/** What a root's function returned, as the text of its answer. */
import { comeAgain, TidegateError } from "../../sdk/errors.ts";
import { toJson } from "../../sdk/json.ts";
import { RawJson } from "../flows/payload.ts";
import { LIMITS } from "../limits.ts";
import type { Failure } from "../transaction/failure.ts";
import { fitsUtf8 } from "../../sdk/utf8.ts";
import type { Root } from "./root.ts";
import type { Tickets } from "./tickets.ts";

/** The body of the answer, or why there can be none: then nothing is committed. */
export function resultOf(root: Root, tickets: Tickets, value: unknown): string | Failure {
  // Nobody is told what a message's function returned.
  if (root.poster !== null) return "null";
  let body: string;
  try {
    body = value === undefined ? "null" : value instanceof RawJson ? value.text : toJson(value, "the result");
  } catch (error) {
    return { kind: "thrown", error };
  }
  if (!fitsUtf8(body, LIMITS.maxResultBytes)) {
    const detail = `a result has at most ${LIMITS.maxResultBytes} bytes; return less, or in pages`;
    return { kind: "engine", error: new TidegateError("transaction-too-large", detail) };
  }
  if (!tickets.haveRoom(root.waiters, body)) {
    const detail = "the answers to this message are too large together; nothing was done, send fewer lines at once";
    return { kind: "engine", error: comeAgain(detail) };
  }
  return body;
}
