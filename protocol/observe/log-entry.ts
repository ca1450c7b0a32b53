/** Entries of the log as one object each, so that who collects them can search by member. Values are never those of state or inputs. */

export interface LogMembers {
  /** Request id of a transaction. */
  readonly transaction?: string;
  readonly service?: string;
  readonly function?: string;
  readonly key?: string;
  readonly tenant?: string;
  readonly partition?: number;
  readonly error?: unknown;
}

export interface LogEntry extends Omit<LogMembers, "error"> {
  readonly message: string;
  readonly error?: ShownError;
}
export type ShownError =
  | string
  | { readonly name: string; readonly message: string; readonly stack?: string; readonly cause?: ShownError };

/** Causes of causes that are shown: it may be its own. */
const CAUSES = 3;

/** What user code threw may itself throw when it is looked at. */
export function logEntry(message: string, { error, ...members }: LogMembers = {}): LogEntry {
  if (error === undefined) return { message, ...members };
  try {
    return { message, ...members, error: shown(error, CAUSES) };
  } catch {
    return { message, ...members, error: "(an error that cannot be shown)" };
  }
}

function shown(error: unknown, causes: number): ShownError {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack, cause } = error;
  return {
    name: String(name),
    message: String(message),
    ...(typeof stack === "string" ? { stack } : {}),
    ...(cause === undefined || causes === 0 ? {} : { cause: shown(cause, causes - 1) }),
  };
}
