/** An operator at the end of a run: sends every dead letter again, and ends what nobody else will, each request several times. */
import { Asker } from "./clients/asker.ts";
import type { ClientSetup } from "./clients/client.ts";
import type { DeskState, Settling } from "./clients/promise-service.ts";
import { tourPromiseId, type TourState } from "./clients/tour-service.ts";
import type { Ask } from "./clients/transaction.ts";
import { lettersIn } from "./flows/ends/history.ts";

/** What an operator settles promises with. */
export const SETTLED: Settling = { ok: true, value: 0 };
/** What is asked of a list to have all of it. */
export const ALL_LETTERS = '{"after":"","limit":1000}';
/** Below the numbers of clients that send for later. */
const FIRST = 400_000;

export class Operator {
  readonly #setup: ClientSetup;
  readonly #asker: Asker;

  constructor(setup: ClientSetup) {
    this.#setup = setup;
    this.#asker = new Asker(setup, FIRST);
  }

  /**
   * The dead letters of some services.
   * @returns how many there were; null when no answer comes in time
   */
  async redrive(services: readonly string[], limitMs: number): Promise<number | null> {
    const lists = await this.#asker.ask(
      services.map((service) => ({ kind: "dead", service, name: "list", input: ALL_LETTERS })),
      limitMs,
    );
    if (lists === null) return null;
    const letters = lists.flatMap((listed, at) => {
      const { letters: ids } = JSON.parse(listed) as { readonly letters: ReadonlyArray<{ readonly id: string }> };
      return ids.map(({ id }) => ({ service: services[at] as string, place: id.slice(0, id.indexOf("-")) }));
    });
    const asks = letters.map(({ service, place }): Ask => ({ kind: "dead", service, name: "redrive", input: place }));
    const answers = await this.#asker.ask(asks, limitMs);
    if (answers?.some((answer) => answer !== "true")) this.#setup.world.fail(`a dead letter is listed and not there`);
    return answers === null ? null : letters.length;
  }

  /** The same of a flow: what its ends did not take. */
  async redriveEnds(limitMs: number): Promise<number | null> {
    const [listed] = (await this.#asker.ask([{ kind: "ends-letters" }], limitMs)) ?? [];
    if (listed === undefined) return null;
    const letters = lettersIn(listed);
    const answers = await this.#asker.ask(
      letters.map(({ letter }): Ask => ({ kind: "ends-redrive", letter })),
      limitMs,
    );
    if (answers?.some((answer) => answer !== "true"))
      this.#setup.world.fail("a dead letter of a flow is listed and not there");
    return answers === null ? null : letters.length;
  }

  /**
   * Settles every promise that waits, and tries again every saga that has come to a standstill.
   * @returns how many have not ended; null when no answer comes in time
   */
  async endWaiting(keys: readonly string[], limitMs: number): Promise<number | null> {
    const looks = keys.flatMap((at): Ask[] => [
      { kind: "promises-seen", at },
      { kind: "tours-seen", at },
    ]);
    const bodies = await this.#asker.ask(looks, limitMs);
    if (bodies === null) return null;
    const seen = bodies.map((body) => JSON.parse(body) as Partial<DeskState & TourState>);
    const heard = new Set(seen.flatMap((each) => each.heard ?? []).map(({ n }) => n));
    const over = new Set(seen.flatMap((each) => each.over ?? []).map(({ n }) => n));
    const parked = seen.flatMap((each) => each.parked ?? []).filter(({ n }) => !heard.has(n));
    const begun = seen.flatMap((each) => each.begun ?? []);
    const tours = begun.filter(({ n }) => !over.has(n));
    const settle = (id: string): Ask => ({ kind: "settle", id, input: SETTLED });
    const retry = ({ n }: { n: number }): Ask => ({ kind: "tour-run", n, name: "retry" });
    const asks = [
      ...parked.map(({ id }) => settle(id)),
      // Too late for what was cancelled: its promise is settled already.
      ...begun.map(({ n }) => settle(tourPromiseId(n))),
      ...tours.map(retry),
    ];
    return (await this.#asker.ask(asks, limitMs)) === null ? null : parked.length + tours.length;
  }
}
