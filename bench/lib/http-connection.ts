/** A kept-alive HTTP/1.1 connection on a bare socket: cheap enough that the driver is not what is measured. */
import { connect, type Socket } from "node:net";
import { AnswerReader, type HttpAnswer } from "./http-answer.ts";

export interface HttpRequest {
  readonly path: string;
  /** Lines of headers, each with its line end; `content-length` is added. */
  readonly headers: string;
  readonly body: Buffer | string;
}

export class HttpConnection {
  readonly #socket: Socket;
  readonly #reader = new AnswerReader();
  #waiting: { resolve(answer: HttpAnswer): void; reject(error: Error): void } | undefined;
  #broken: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the connection was closed")));
  }

  static open(port: number): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(new HttpConnection(socket.off("error", reject))));
      socket.on("error", reject);
    });
  }

  /** Sends a POST; the one before must have been answered. Rejects when the connection breaks before the answer is whole. */
  post({ path, headers, body }: HttpRequest): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#broken) return reject(this.#broken);
      this.#waiting = { resolve, reject };
      const length = Buffer.byteLength(body);
      this.#socket.cork();
      this.#socket.write(`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers}content-length: ${length}\r\n\r\n`);
      this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    const answer = this.#reader.push(bytes);
    if (answer === undefined) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#broken = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
