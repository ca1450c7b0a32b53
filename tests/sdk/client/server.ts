/** A scripted server for the client's tests: it records requests and answers them in order. */

/** What a client sent. */
export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}
/** An answer, or an error to fail with as a lost connection does, or anything that makes one. */
export type Reply = Response | Error | ((sent: Sent, signal: AbortSignal) => Response | Promise<Response>);

export interface Server {
  readonly sent: Sent[];
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/** Answers the n-th request with the n-th reply, and fails loudly when there is none left. */
export function server(...replies: Reply[]): Server {
  const sent: Sent[] = [];
  return {
    sent,
    async fetch(url, init) {
      const request = {
        method: init.method ?? "GET",
        url,
        headers: new Headers(init.headers as HeadersInit),
        body: String(init.body ?? ""),
      };
      const reply = replies[sent.push(request) - 1];
      if (reply === undefined) throw new Error(`no reply is scripted for request ${sent.length}`);
      if (reply instanceof Error) throw reply;
      return typeof reply === "function" ? reply(request, init.signal as AbortSignal) : reply.clone();
    },
  };
}

export const ok = (value: unknown): Response => Response.json(value);

export function problem(
  status: number,
  type: string,
  members: object = {},
  headers: Record<string, string> = {},
): Response {
  const body = JSON.stringify({ type: `/problems/${type}`, title: "T", status, ...members });
  return new Response(body, { status, headers: { "content-type": "application/problem+json", ...headers } });
}

/** A body in chunks; an error among them breaks the connection there. */
export function chunked(...chunks: Array<string | Uint8Array | Error>): Response {
  const encoder = new TextEncoder();
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    const chunk = chunks.shift();
    if (chunk === undefined) controller.close();
    else if (chunk instanceof Error) controller.error(chunk);
    else controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
  };
  // Nothing is read ahead: an error would throw away what is queued before it.
  const body = new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 });
  return new Response(body);
}
