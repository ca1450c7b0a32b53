/** Requests that take as long as they take: Node's `fetch` gives up when no answer has begun after five minutes. */
import { type IncomingMessage, request as http } from "node:http";
import { request as https } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Answers that have no body, and must not be given one. */
const EMPTY = new Set([204, 205, 304]);

/** A POST. @throws TypeError with the cause when the connection is lost, as `fetch` does; so does reading the answer */
export async function longPost(address: string, headers: Headers, body?: Readable): Promise<Response> {
  const answer = await answerTo(address, headers, body);
  const status = answer.statusCode ?? 0;
  const read = EMPTY.has(status) ? null : Readable.toWeb(Readable.from(bytesOf(answer)));
  return new Response(read as unknown as BodyInit, { status });
}

function answerTo(address: string, headers: Headers, body: Readable | undefined): Promise<IncomingMessage> {
  const send = new URL(address).protocol === "https:" ? https : http;
  const sent = send(address, { method: "POST", headers: Object.fromEntries(headers) });
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(lost(error));
    sent.once("response", (answer) => {
      // Of a refusal nobody reads what is yet to be sent.
      answer.once("close", () => body?.destroy());
      resolve(answer);
    });
    // The first of these counts: what becomes of the body when it is answered is nobody's concern.
    sent.on("error", fail);
    if (body === undefined) sent.end();
    else pipeline(body, sent).catch(fail);
  });
}

async function* bytesOf(answer: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* answer as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw lost(error as Error);
  }
}

function lost(cause: Error): TypeError {
  return new TypeError(`the connection was lost: ${cause.message}`, { cause });
}
