/** When orders were placed and cancelled, as the clients saw it. */
import type { Times } from "./calls.ts";

export class OrderTimes {
  readonly #placed = new Map<string, Times>();
  readonly #cancelled = new Map<string, Times>();

  placed(id: string, times: Times): void {
    this.#placed.set(id, times);
  }

  cancelled(id: string, times: Times): void {
    this.#cancelled.set(id, times);
  }

  /** Of the checkout and the cancellation of an order, where they were acknowledged. */
  of(id: string): { readonly placed: Times | undefined; readonly cancelled: Times | undefined } {
    return { placed: this.#placed.get(id), cancelled: this.#cancelled.get(id) };
  }
}
