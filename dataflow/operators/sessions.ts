/** Aggregates over sessions: windows of one key that grow, and become one where an event lies between two. */

import type { Rows } from "../columns/rows.ts";
import { type GroupId, groupIds, groupOfText, PART, sortableWhole } from "../keys.ts";
import { CACHED_GROUPS_MAX } from "../limits.ts";
import { type AggregateSpec, type Group, Grouping, Results } from "./groups.ts";
import { NOTHING_LATE, type ShardInput, type ShardOperator, type ShardOutput } from "./operator.ts";
import { entriesFrom, type ShardStore } from "./store.ts";
import { firstTimer, setTimer, takeDue } from "./timers.ts";
import { GROUPS } from "./windows.ts";

/** Collection: beginnings of a key's sessions that can still change. */
const OPEN = "k";
type Begin = number | readonly [start: number, twin: number];
/** Behind `PART`, so that those of one beginning are in their order. */
const TWIN = "\u0004";

function sessionKey(start: number, twin: number, text: string): string {
  return sortableWhole(start) + TWIN.repeat(twin) + PART + text;
}

interface Session extends Group {
  start: number;
  /** Under which beginning it is stored; null while it is not. */
  stored: number | null;
  /** How many of the key are stored under that beginning before it: those have ended, and it has come to reach as far back as they do. */
  twin: number;
  /** Its result had been given before this batch, and is taken back by it. */
  given: boolean;
  /** The one that it became part of. */
  into: Session | null;
}

/** What one batch does. */
interface Batch {
  readonly input: ShardInput;
  readonly store: ShardStore;
  readonly results: Results;
  readonly touched: Session[];
  readonly keys: Set<GroupId>;
}

export class SessionAggregate implements ShardOperator {
  readonly #grouping: Grouping;
  readonly #spec: AggregateSpec;
  readonly #gap: number;
  #keys = new Map<GroupId, Session[]>();
  #stamp = 0;

  constructor(spec: AggregateSpec, gap: number) {
    this.#spec = spec;
    this.#grouping = new Grouping(spec);
    this.#gap = gap;
  }

  apply(input: ShardInput, store: ShardStore): ShardOutput {
    this.#stamp += 1;
    const rows = input.inputs[0] as Rows;
    const batch: Batch = { input, store, results: new Results(this.#spec.fields), touched: [], keys: new Set() };
    if (input.begins === true && this.#isTimed) this.#setTimers(batch);
    const late = this.#take(batch, rows);
    for (const session of batch.touched) if (session.into === null) this.#keep(batch, session);
    // A key may have several timers that are due, and each of its sessions gives its result once.
    for (const text of new Set(takeDue(store, input.after).map((due) => due.text))) this.#due(batch, text);
    for (const id of batch.keys) this.#keepOpen(store, id);
    if (this.#keys.size > CACHED_GROUPS_MAX) this.#keys = new Map();
    return {
      rows: batch.results.rows(),
      late: late.length === 0 ? NOTHING_LATE : [{ input: 0, index: late }],
      next: this.#isTimed ? firstTimer(store) : Infinity,
    };
  }

  /** A view alone needs no call where events bring the time: what it shows is final when the watermark says so. */
  get #isTimed(): boolean {
    return this.#spec.emits || !this.#spec.viewed || this.#spec.woken;
  }

  /** Of all sessions that are open: for a view alone they have none. */
  #setTimers(batch: Batch): void {
    for (const [text] of [...entriesFrom(batch.store, OPEN, "", undefined)]) {
      const open = this.#openOf(batch, groupOfText(text, this.#spec.keys.length));
      for (const session of open) setTimer(batch.store, this.#endOf(session), text);
    }
  }

  #endOf(session: Session): number {
    return session.time + this.#gap;
  }

  /**
   * Finds each row's session, then adds the rows. Returns those that are late. What by itself comes too late is not late where it belongs to a session
   * that is not, wherever in the batch that one's events are: so such rows come behind the others, the latest first, and each finds what it is near.
   */
  #take(batch: Batch, rows: Rows): number[] {
    const { time } = rows;
    const idOf = groupIds(rows, this.#spec.keys);
    const found: Array<Session | null> = [];
    const behind: number[] = [];
    for (let row = 0; row < rows.length; row++) {
      const isBehind = (time[row] as number) + this.#gap + this.#spec.lateness <= batch.input.before;
      if (isBehind) behind.push(row);
      found.push(isBehind ? null : this.#sessionFor(batch, idOf(row), time[row] as number));
    }
    for (const row of behind.sort((a, b) => (time[b] as number) - (time[a] as number)))
      found[row] = this.#sessionFor(batch, idOf(row), time[row] as number);
    const late: number[] = [];
    const index: number[] = [];
    const of: number[] = [];
    for (const [row, session] of found.entries()) {
      if (session === null) late.push(row);
      else {
        index.push(row);
        of.push(rootOf(session).index);
      }
    }
    this.#grouping.fold(batch.touched, Uint32Array.from(of), rows, Uint32Array.from(index));
    return late;
  }

  #sessionFor(batch: Batch, id: GroupId, time: number): Session | null {
    const { before } = batch.input;
    const open = this.#openOf(batch, id);
    const near = open.filter((session) => session.start < time + this.#gap && time < this.#endOf(session));
    const end = near.reduce((latest, session) => Math.max(latest, this.#endOf(session)), time + this.#gap);
    if (end + this.#spec.lateness <= before) return null;
    batch.keys.add(id);
    const [first, ...others] = near;
    const session = first ?? this.#begin(open, id, time);
    this.#touch(batch, session);
    for (const other of others) this.#merge(batch, session, other, open);
    session.start = Math.min(session.start, time);
    session.time = Math.max(session.time, time);
    return session;
  }

  #begin(open: Session[], id: GroupId, time: number): Session {
    const session = { ...this.#grouping.fresh(id), time, start: time, stored: null, twin: 0, given: false, into: null };
    open.push(session);
    return session;
  }

  /** Before anything of it changes: the result that it has given is taken back then. */
  #touch(batch: Batch, session: Session): void {
    if (session.stamp === this.#stamp) return;
    session.stamp = this.#stamp;
    session.index = batch.touched.push(session) - 1;
    session.given = session.n > 0 && this.#endOf(session) <= batch.input.before;
    if (session.given && this.#spec.emits) this.#result(batch, session, -1);
  }

  #merge(batch: Batch, session: Session, other: Session, open: Session[]): void {
    this.#touch(batch, other);
    other.into = session;
    session.n += other.n;
    session.start = Math.min(session.start, other.start);
    session.time = Math.max(session.time, other.time);
    session.slots = this.#grouping.accumulators.map(({ merge }, at) => merge(session.slots[at], other.slots[at]));
    open.splice(open.indexOf(other), 1);
    this.#drop(batch.store, other);
  }

  #result({ results }: Batch, session: Session, sign: 1 | -1): void {
    const end = this.#endOf(session);
    const cells = [...this.#grouping.cells(session.id), session.start, end, ...this.#grouping.results(session)];
    results.add(cells, end - 1, sign);
  }

  #keep(batch: Batch, session: Session): void {
    const { store, input } = batch;
    const text = this.#grouping.text(session.id);
    const isNew = session.stored === null;
    if (session.stored !== session.start) {
      this.#drop(store, session);
      session.stored = session.start;
      session.twin = 0;
      // Only views keep what has ended.
      while (this.#spec.viewed && store.get(GROUPS, sessionKey(session.start, session.twin, text)) !== null)
        session.twin += 1;
    }
    store.put(GROUPS, sessionKey(session.start, session.twin, text), this.#grouping.encode(session));
    const end = this.#endOf(session);
    // One that goes on beyond the watermark has the timer of its older end, unless that has fired.
    if (this.#isTimed && (isNew || session.given || end <= input.before))
      setTimer(store, Math.max(end, input.after), text);
    if (this.#spec.emits && end <= input.before) this.#result(batch, session, 1);
  }

  /** A key's sessions that can still change. */
  #openOf({ input, store }: Batch, id: GroupId): Session[] {
    const isOpen = (session: Session): boolean => this.#endOf(session) + this.#spec.lateness > input.before;
    const known = this.#keys.get(id);
    if (known !== undefined) {
      if (known.every(isOpen)) return known;
      const open = known.filter(isOpen);
      this.#keys.set(id, open);
      return open;
    }
    const text = this.#grouping.text(id);
    const begins = JSON.parse(store.get(OPEN, text) ?? "[]") as Begin[];
    const sessions = begins.flatMap((begin) => {
      const [start, twin] = typeof begin === "number" ? [begin, 0] : begin;
      const stored = store.get(GROUPS, sessionKey(start, twin, text));
      if (stored === null) return [];
      return [{ ...this.#grouping.decode(id, stored), start, stored: start, twin, given: false, into: null }];
    });
    const open = sessions.filter(isOpen);
    this.#keys.set(id, open);
    return open;
  }

  /** Sessions that have ended give their results; those that take nothing more are left alone, or deleted. */
  #due(batch: Batch, text: string): void {
    const { input, store } = batch;
    const id = groupOfText(text, this.#spec.keys.length);
    const open = this.#openOf(batch, id);
    for (const session of [...open]) {
      const end = this.#endOf(session);
      const expires = end + this.#spec.lateness;
      if (this.#spec.emits && end > input.before && end <= input.after) this.#result(batch, session, 1);
      if (expires > input.after) setTimer(store, end > input.after ? end : expires, text);
      else {
        open.splice(open.indexOf(session), 1);
        if (!this.#spec.viewed) this.#drop(store, session);
      }
    }
    batch.keys.add(id);
  }

  #drop(store: ShardStore, { stored, twin, id }: Session): void {
    if (stored !== null) store.put(GROUPS, sessionKey(stored, twin, this.#grouping.text(id)), null);
  }

  #keepOpen(store: ShardStore, id: GroupId): void {
    const begins = (this.#keys.get(id) ?? []).map(({ start, twin }): Begin => (twin === 0 ? start : [start, twin]));
    store.put(OPEN, this.#grouping.text(id), begins.length === 0 ? null : JSON.stringify(begins));
  }
}

function rootOf(session: Session): Session {
  let root = session;
  while (root.into !== null) root = root.into;
  return root;
}
