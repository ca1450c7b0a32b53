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

const HIDDEN = "(an error that cannot be shown)";

export function logEntry(message: string, { error, ...members }: LogMembers = {}): LogEntry {
  const looked = shown(() => error, CAUSES);
  return { message, ...members, ...(looked === undefined ? {} : { error: looked }) };
}

/** What user code threw may itself throw when it is looked at, and so may its cause: of that nothing is shown, and of all around it everything. */
function shown(look: () => unknown, causes: number): ShownError | undefined {
  try {
    const error = look();
    if (error === undefined) return undefined;
    if (!(error instanceof Error)) return String(error);
    const { name, message, stack } = error;
    const cause = causes === 0 ? undefined : shown(() => error.cause, causes - 1);
    return {
      name: String(name),
      message: String(message),
      ...(typeof stack === "string" ? { stack } : {}),
      ...(cause === undefined ? {} : { cause }),
    };
  } catch {
    return HIDDEN;
  }
}
