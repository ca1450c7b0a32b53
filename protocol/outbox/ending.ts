/** How one try at a message's transaction has ended, as who keeps the message is told, and what that comes to. */
import { isRefusalType, problemOf, type ProblemType, REFUSAL_STATUS } from "../../sdk/problems.ts";
import { words } from "../../sdk/thrown.ts";
import type { StoredResult } from "../results/stored-result.ts";
import { ERASED_STATUS } from "../results/stored-result.ts";
import type { Failure } from "../transaction/failure.ts";

/** A try that failed. */
export interface FailedTry {
  /** Milliseconds since 1970, by the clock of who keeps the message. */
  readonly at: number;
  /** As a request would have been answered. */
  readonly status: number;
  /** The word of its problem's type. */
  readonly type: string;
  /** For people. */
  readonly error: string;
}

export interface Ending {
  /** It is delivered: its transaction is committed or refused. */
  readonly done: boolean;
  /** It never will be: its target has recorded that. */
  readonly dead: boolean;
  /** What went wrong, as {@link encodeError} wrote it; empty where nothing was tried. */
  readonly error: string;
}

export const DELIVERED: Ending = { done: true, dead: false, error: "" };
/** It could not be tried just now. */
export const LATER: Ending = { done: false, dead: false, error: "" };

const OVERLOADED = 503;
const FAILURE = 500;
const ERROR_LENGTH = 500;

/**
 * The one engine problem of the status of refusals that passes: a flow takes nothing until another version of it is deployed. Events that functions
 * emit, and ticks, wait for that with who keeps them.
 */
const FLOW_CHANGED: ProblemType = "flow-changed";
const FLOW_CHANGED_TYPE = problemOf(FLOW_CHANGED).type;

/**
 * Whether the message was carried out, or its function has answered no. Errors of the engine may have the status of a refusal: those are no answers.
 * @param body empty for what was recorded of an answer
 */
export function isAnswer(status: number, body: string): boolean {
  return status < 400 || (status === REFUSAL_STATUS && (body === "" || isRefusalType(typeOf(body))));
}

/** Whether it stays what it is: an answer, a fault of the message itself, or any failure of the last try. */
export function isFinal(status: number, last: boolean): boolean {
  return status < FAILURE || (last && status !== OVERLOADED);
}

/** Whether a failure has nothing to do with the message, and passes: it is handed over again, however often. */
export function passes(failure: Failure): boolean {
  return failure.kind === "engine" && failure.error.type === FLOW_CHANGED;
}

/** @param body the problem document, where the status says so */
export function endingOf(status: number, body: string, error: string, last: boolean): Ending {
  if (status === OVERLOADED || isOfChangedFlow(status, body)) return LATER;
  if (isAnswer(status, body)) return DELIVERED;
  return { done: false, dead: isFinal(status, last), error: encodeError(status, body, error) };
}

/** Of a refusal that was recorded there is no body. */
function isOfChangedFlow(status: number, body: string): boolean {
  return status === REFUSAL_STATUS && body !== "" && typeOf(body) === FLOW_CHANGED_TYPE;
}

function typeOf(problem: string): string {
  return (JSON.parse(problem) as { readonly type: string }).type;
}

/** The same of what was recorded. */
export function endingOfResult({ status, body }: StoredResult): Ending {
  return status === ERASED_STATUS ? DELIVERED : endingOf(status, body, "", true);
}

function encodeError(status: number, body: string, error: string): string {
  const { type, detail = "" } = JSON.parse(body) as { readonly type: string; readonly detail?: string };
  const word = type.slice(type.lastIndexOf("/") + 1);
  return JSON.stringify([status, word, (error === "" ? detail : error).slice(0, ERROR_LENGTH)]);
}

export function decodeError(text: string, at: number): FailedTry {
  const [status, type, error] = JSON.parse(text) as [number, string, string];
  return { at, status, type, error };
}

/** What was thrown, in words, with its cause and never the stack. */
export function errorText(error: unknown): string {
  return words(() => {
    if (!(error instanceof Error)) return error;
    let hasCause = true;
    // It may be what throws: the error around it is told all the same.
    const caused = words(() => {
      const { cause } = error;
      hasCause = cause !== undefined;
      return textOf(cause);
    });
    return hasCause ? `${textOf(error)} (${caused})` : textOf(error);
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
