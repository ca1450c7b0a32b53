/** What the flow `windows` must come to, from its events in their order: nothing here knows how operators keep their state. */
import { isRefused, RULES } from "../app.ts";
import { firstsTtl, isCounting, markOf } from "../versions.ts";
import { type FlowBatch, type FlowEvent, groupBy, latest, NO_TIME, type Outcome, type Row, sumOf } from "./events.ts";

interface Accepted extends FlowEvent {
  /** Number of its batch. */
  readonly batch: number;
}
interface Session {
  readonly k: string;
  readonly events: FlowEvent[];
}

export class WindowsModel {
  watermark = NO_TIME;
  batches = 0;
  /** By key, in order of batches. */
  readonly added = new Map<string, Array<{ readonly n: number; readonly batch: number }>>();
  readonly dead: Array<{ readonly n: number; readonly k: string }> = [];
  readonly #tumbled: Accepted[] = [];
  #sessions: Session[] = [];
  /** By value: the newest time at which it was seen, and the last batch that has it. */
  #seen = new Map<number, { readonly at: number; readonly batch: number }>();
  /** Events since `counted` has been there. */
  #counted: FlowEvent[] = [];
  #version = 0;

  /** @param version of the flow that takes it */
  take({ events }: FlowBatch, version = 0): Outcome {
    const batch = this.batches++;
    const before = this.watermark;
    const isKnown = firstsTtl(version) === firstsTtl(this.#version);
    this.#version = version;
    if (!isKnown) this.#seen = new Map();
    this.#counted = isCounting(version) ? [...this.#counted, ...events] : [];
    const after = Math.max(before, latest(events.map(({ at }) => at)) - RULES.outOfOrderness);
    this.watermark = after;
    const late: Array<[string, number]> = [];
    for (const event of events) {
      if (event.v > 0 && !this.#tumble(event, batch, before)) late.push(["tumbled", event.n]);
      // One that is defined anew does not know how far time had come.
      this.#first(event, batch, isKnown ? before : NO_TIME);
    }
    for (const { n } of this.#join(events, before)) late.push(["sessions", n]);
    const log = events.map(({ n }) => ({ n: n + markOf(version) }));
    return {
      late,
      given: { windowsLog: log, tumbled: this.#given(batch, before, after), newer: newerOf(events, version) },
    };
  }

  #tumble(event: FlowEvent, batch: number, before: number): boolean {
    if (endOf(event) + RULES.tumbling.lateness <= before) return false;
    this.#tumbled.push({ ...event, v: 2 * event.v, batch });
    return true;
  }

  /** Windows that end with this batch, and those that had ended and have changed. */
  #given(batch: number, before: number, after: number): Row[] {
    return this.#windows()
      .filter(([end, events]) => (end > before ? end <= after : events.some((event) => event.batch === batch)))
      .map(([end, events]) => ({
        k: events[0]?.k,
        windowStart: end - RULES.tumbling.size,
        windowEnd: end,
        count: events.length,
        total: sumOf(events),
      }));
  }

  #windows(): Array<[end: number, events: Accepted[]]> {
    return [...groupBy(this.#tumbled, (event) => `${endOf(event)} ${event.k}`).values()].map((events) => [
      endOf(events[0] as Accepted),
      events,
    ]);
  }

  /** The batch's events and the sessions that still take any, as one where they are near. Returns the events of those that had ended even so. */
  #join(events: readonly FlowEvent[], before: number): FlowEvent[] {
    const isOpen = (session: Session): boolean => sessionEnd(session) + RULES.session.lateness > before;
    const keys = new Set(events.map(({ k }) => k));
    const mayGrow = (session: Session): boolean => keys.has(session.k) && isOpen(session);
    let joined: Session[] = [];
    for (const one of [
      ...this.#sessions.filter(mayGrow),
      ...events.map((event) => ({ k: event.k, events: [event] })),
    ]) {
      const near = joined.filter((other) => areNear(one, other));
      const all = { k: one.k, events: [...near, one].flatMap((each) => each.events) };
      joined = [...joined.filter((other) => !near.includes(other)), all];
    }
    this.#sessions = [...this.#sessions.filter((session) => !mayGrow(session)), ...joined.filter(isOpen)];
    return joined.filter((session) => !isOpen(session)).flatMap((session) => session.events);
  }

  #first(event: FlowEvent, batch: number, before: number): void {
    const seen = this.#seen.get(event.v);
    const isKnown = seen !== undefined && (seen.batch === batch || seen.at + firstsTtl(this.#version) > before);
    this.#seen.set(event.v, { at: isKnown ? Math.max(seen.at, event.at) : event.at, batch });
    if (isKnown) return;
    if (isRefused(event.v)) this.dead.push({ n: event.n, k: event.k });
    else this.added.set(event.k, [...(this.added.get(event.k) ?? []), { n: event.n, batch }]);
  }

  hasBegun(name: string): boolean {
    return name !== "counted" || isCounting(this.#version);
  }

  view(name: "tumbled" | "sessions" | "totals" | "counted"): Row[] {
    switch (name) {
      case "counted":
        return [...groupBy(this.#counted, ({ k }) => k)].map(([k, events]) => ({
          k,
          count: events.length,
          total: sumOf(events),
        }));
      case "tumbled":
        return this.#windows().map(([end, events]) => ({
          key: events[0]?.k,
          window: { start: end - RULES.tumbling.size, end },
          count: events.length,
          total: sumOf(events),
          final: end + RULES.tumbling.lateness <= this.watermark,
        }));
      case "sessions":
        return this.#sessions.map((session) => ({
          key: session.k,
          window: { start: Math.min(...session.events.map(({ at }) => at)), end: sessionEnd(session) },
          count: session.events.length,
          total: sumOf(session.events),
          most: latest(session.events.map(({ v }) => v)),
          final: sessionEnd(session) + RULES.session.lateness <= this.watermark,
        }));
      case "totals": {
        const ended = this.#sessions.filter((session) => sessionEnd(session) <= this.watermark);
        return [...groupBy(ended, ({ k }) => k)].map(([k, sessions]) => ({
          k,
          sessions: sessions.length,
          total: sessions.reduce((sum, { events }) => sum + sumOf(events), 0),
        }));
      }
    }
  }
}

function newerOf(events: readonly FlowEvent[], version: number): Row[] {
  return isCounting(version) ? events.filter(({ v }) => v > RULES.newerAbove).map(({ n }) => ({ n })) : [];
}

const endOf = ({ at }: FlowEvent): number =>
  Math.floor(at / RULES.tumbling.size) * RULES.tumbling.size + RULES.tumbling.size;
const sessionEnd = ({ events }: Session): number => latest(events.map(({ at }) => at)) + RULES.session.gap;
const areNear = (a: Session, b: Session): boolean =>
  a.k === b.k && a.events.some((one) => b.events.some((other) => Math.abs(one.at - other.at) < RULES.session.gap));
