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
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string } | string;
}

/** What user code threw may itself throw when it is looked at. */
export function logEntry(message: string, { error, ...members }: LogMembers = {}): LogEntry {
  if (error === undefined) return { message, ...members };
  try {
    return { message, ...members, error: shown(error) };
  } catch {
    return { message, ...members, error: "(an error that cannot be shown)" };
  }
}

function shown(error: unknown): NonNullable<LogEntry["error"]> {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack } = error;
  return { name: String(name), message: String(message), ...(typeof stack === "string" ? { stack } : {}) };
}
