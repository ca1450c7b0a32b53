/** What an administrator asks of objects, over the same network as clients: again until it is answered. */
import type { AdminAsk, AdminReply } from "../../protocol/backup/asks.ts";
import type { RescaleStatus } from "../../protocol/coordinator/rescaling.ts";
import { COORDINATOR, type Peer } from "../../protocol/wire/messages.ts";
import type { Random } from "../random.ts";
import type { CoordinatorInstance, CoordinatorObject } from "../world/coordinator-object.ts";
import { OUTSIDE } from "../world/network.ts";
import type { World } from "../world/world.ts";

export type AdminAnswer = Uint8Array | { readonly status: number; readonly type: string; readonly value: unknown };

const OK = 200;
const AGAIN_MS = 150;

export class AdminLine {
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  /** @param then is called once, with the first answer that says more than that the partition is starting */
  ask(peer: Peer, ask: AdminAsk, then: (answer: AdminAnswer) => void): void {
    this.#untilAnswered(
      peer,
      (answered) => {
        this.#world.partitions[peer]?.routeAsk(
          (ticket) => ({ kind: "admin", ticket, ask }),
          (body) => answered(body instanceof Uint8Array ? body : answerOf(body)),
        );
      },
      then,
    );
  }

  /** How the key groups lie, and whether they move. */
  rescaleStatus(then: (status: RescaleStatus) => void): void {
    const coordinator = this.#world.coordinator as unknown as CoordinatorObject;
    this.#untilAnswered<RescaleStatus>(
      COORDINATOR,
      (answered) => {
        const instance = coordinator.route(true) as CoordinatorInstance | null;
        // What it says must be durable.
        if (instance?.machine.rescaleStatus)
          instance.tell(() => answered(instance.machine.rescaleStatus as RescaleStatus));
      },
      then,
    );
  }

  #untilAnswered<T>(peer: Peer, reach: (answered: (answer: T) => void) => void, then: (answer: T) => void): void {
    const { network, scheduler } = this.#world;
    let isAnswered = false;
    const hear = (answer: T): void => {
      if (isAnswered || isBusy(answer)) return;
      isAnswered = true;
      then(answer);
    };
    const send = (): void => {
      if (isAnswered) return;
      network.carry(OUTSIDE, peer, () => reach((answer) => network.carry(peer, OUTSIDE, () => hear(answer))));
      scheduler.in(AGAIN_MS * (1 + this.#random.next()), send);
    };
    send();
  }
}

function answerOf({ status, body }: Pick<AdminReply, "status" | "body">): AdminAnswer {
  const value: unknown = JSON.parse(body);
  return { status, value, type: status === OK ? "" : (value as { readonly type: string }).type };
}

/** A partition that is starting says that nothing was done. */
function isBusy(answer: unknown): boolean {
  return (answer as { readonly type?: unknown }).type === "/problems/overloaded";
}
