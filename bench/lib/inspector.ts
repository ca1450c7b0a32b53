/** The Chrome DevTools protocol with a Worker in a workerd process that was started with an inspector port. */

interface Target {
  readonly id: string;
  readonly webSocketDebuggerUrl: string;
}

interface Message {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export interface InspectorSession {
  /** Rejects when the isolate answers with an error or the connection ends. */
  send<T>(method: string, params?: Readonly<Record<string, unknown>>): Promise<T>;
  close(): void;
}

/** @param worker name of the Worker's service in the configuration of the process */
export async function inspect(port: number, worker: string): Promise<InspectorSession> {
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as Target[];
  const target = targets.find(({ id }) => id.endsWith(worker));
  if (!target) throw new Error(`no Worker ${worker} at the inspector, only ${targets.map(({ id }) => id).join(", ")}`);
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error(`cannot connect to ${target.webSocketDebuggerUrl}`)));
  });
  return session(socket);
}

function session(socket: WebSocket): InspectorSession {
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let sent = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error } = JSON.parse(String(data)) as Message;
    const caller = id === undefined ? undefined : waiting.get(id);
    if (id === undefined || !caller) return;
    waiting.delete(id);
    if (error) caller.reject(new Error(error.message));
    else caller.resolve(result);
  });
  socket.addEventListener("close", () => {
    for (const { reject } of waiting.values()) reject(new Error("the inspector has closed the connection"));
  });
  return {
    send: <T>(method: string, params: Readonly<Record<string, unknown>> = {}) =>
      new Promise<T>((resolve, reject) => {
        const id = ++sent;
        waiting.set(id, { resolve: (result) => resolve(result as T), reject });
        socket.send(JSON.stringify({ id, method, params }));
      }),
    close: () => socket.close(),
  };
}
