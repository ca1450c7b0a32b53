/** What ends of flows do to the world outside: what was delivered, under which key, and what its end said of it. */
import { decodeValue } from "../../../sdk/values.ts";
import type { OutsideEnd } from "../../../protocol/outside/work.ts";
import type { FlowEvent } from "../model/events.ts";
import { type EndName, ENDS, isRepeated, isUnwelcome } from "./app.ts";

/** An attempt at a delivery that did something. */
export interface Delivered {
  readonly end: EndName;
  /** The delivery's key. */
  readonly id: string;
  readonly events: readonly FlowEvent[];
  /** Whether its end took it. That may not have been heard. */
  readonly ok: boolean;
  /** Simulated time. */
  readonly ms: number;
}

export function isEnd(name: string): name is EndName {
  return Object.hasOwn(ENDS, name);
}

export class EndsWorld {
  readonly done: Delivered[] = [];
  /** By end and event: the first key under which one came that is unwelcome. */
  readonly #unwelcome = new Map<string, string>();

  deliver(end: EndName, id: string, input: string, ms: number): OutsideEnd {
    const { lines } = decodeValue(input) as { readonly lines: string };
    const events = lines.split("\n").map((line) => JSON.parse(line) as FlowEvent);
    const isAgain = this.done.some((each) => each.end === end && each.id === id);
    const says = this.#says(end, id, events, isAgain);
    this.done.push({ end, id, events, ok: says.ok, ms });
    return says;
  }

  #says(end: EndName, id: string, events: readonly FlowEvent[], isAgain: boolean): OutsideEnd {
    for (const { n, v } of events) {
      if (!isUnwelcome(v)) continue;
      const name = `${end} ${n}`;
      const first = this.#unwelcome.get(name) ?? id;
      this.#unwelcome.set(name, first);
      if (first === id) return { ok: false, final: true, type: "effect-failed", message: "never" };
    }
    if (!isAgain && events.some(({ v }) => isRepeated(v)))
      return { ok: false, final: false, type: "effect-failed", message: "not yet" };
    return { ok: true, value: "null" };
  }
}
