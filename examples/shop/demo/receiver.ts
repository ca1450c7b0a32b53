/** A customer's system: takes the shop's webhooks, checks each, and refuses some the first time. */
import { createServer, type Server } from "node:http";
import { verifyWebhook } from "../../../sdk/index.ts";
import { UsageError } from "./options.ts";

/** The one address that `npm start` lets webhooks go to on this machine. */
export const RECEIVER = { host: "127.0.0.1", port: 8799 };
/** One in so many invoices is refused once, and one in so many is taken but its answer is lost. */
const REFUSES = 3;
const SWALLOWS = 5;

interface Taken {
  /** Ids that told of it, with how often each came. */
  readonly ids: Map<string, number>;
  readonly totals: Set<number>;
}

export class Receiver {
  readonly #secret: string;
  readonly #server: Server;
  /** By invoice. */
  readonly taken = new Map<string, Taken>();
  readonly faults: string[] = [];
  deliveries = 0;

  constructor(secret: string) {
    this.#secret = secret;
    this.#server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        this.#take(request.headers as Record<string, string>, body).then(
          (status) => (status === null ? request.socket.destroy() : response.writeHead(status).end()),
          (error: unknown) => {
            this.faults.push(`a webhook was not to be believed: ${String(error)}`);
            response.writeHead(401).end();
          },
        );
      });
    });
  }

  /** @returns the status of the answer; null for none */
  async #take(headers: Record<string, string>, body: string): Promise<number | null> {
    const { id } = await verifyWebhook(this.#secret, new Headers(headers), body);
    const { type, data } = JSON.parse(body) as { type: string; data: { invoice: string; total: number } };
    if (type !== "invoice.paid") this.faults.push(`a webhook of the type ${type}`);
    this.deliveries += 1;
    const known = this.taken.get(data.invoice) ?? { ids: new Map<string, number>(), totals: new Set<number>() };
    this.taken.set(data.invoice, known);
    const before = known.ids.get(id) ?? 0;
    known.ids.set(id, before + 1);
    known.totals.add(data.total);
    const number = Number(data.invoice.split("/").at(-1));
    if (before === 0 && number % REFUSES === 0) return 503;
    return before === 0 && number % SWALLOWS === 0 ? null : 204;
  }

  listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const taken = new UsageError(`port ${RECEIVER.port} is taken: another demo runs, or what has it is to be stopped`);
    this.#server.once("error", () => reject(taken));
    this.#server.listen(RECEIVER.port, RECEIVER.host, resolve);
    return promise;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
