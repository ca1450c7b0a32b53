/** Events out: server-sent events of a stream, each once and in order, whatever breaks between. */

import { UnreachableError } from "./errors.ts";
import { exact } from "../exact.ts";
import { Broken, lines } from "./lines.ts";
import { searchOf } from "./search.ts";
import type { Transport } from "./transport.ts";
import type { ReadOptions, StreamEvent } from "./types.ts";

/**
 * Yields events behind `after`. When the connection ends it goes on behind the last event that was yielded. Leaving the loop, or the
 * caller's signal, ends it.
 */
export async function* readEvents<Event>(
  transport: Transport,
  stream: string,
  options: ReadOptions = {},
): AsyncGenerator<StreamEvent<Event>, void, void> {
  let after = options.after;
  for (let stalled = 0; ;) {
    try {
      for await (const { id, data } of round(transport, stream, after, options)) {
        // Whatever comes, a heartbeat too, says that the server is there.
        stalled = -1;
        if (id !== undefined) after = id;
        if (data !== undefined) yield { id: after ?? "", event: JSON.parse(data, exact) as Event };
      }
      if (options.follow === false) return;
      // A server ends what goes on for long.
      stalled = 0;
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      stalled += 1;
      if (stalled > transport.retries) throw new UnreachableError(stalled, undefined, error.cause);
    }
    await transport.rest(stalled + 1, options.signal);
  }
}

/** A block of the answer: an id alone says where the reader is, and one without anything is a heartbeat. */
interface Block {
  readonly id: string | undefined;
  readonly data: string | undefined;
}

async function* round(
  transport: Transport,
  stream: string,
  after: string | undefined,
  { follow, signal }: ReadOptions,
): AsyncGenerator<Block, void, void> {
  const path = `/v1/streams/${stream}${searchOf({ after, follow: follow === false ? 0 : undefined })}`;
  let id: string | undefined;
  let data: string | undefined;
  for await (const text of lines(transport, { method: "GET", path }, signal)) {
    // `s`: texts may hold U+2028 and U+2029, which end lines of JavaScript and none of these.
    const [, field, value = ""] = /^(id|data)(?:: ?(.*?))?\r?$/s.exec(text) ?? [];
    if (field === "id") id = value;
    else if (field === "data") data = data === undefined ? value : `${data}\n${value}`;
    else if (text.trim() === "") {
      yield { id, data };
      id = data = undefined;
    }
  }
}
