/** A transaction's own copy of everything under one key: its value and the collection entries that it wrote. */
import { decodeValue, encodeValue } from "../../sdk/values.ts";
import { LIMITS } from "../limits.ts";
import { expiryRow, type Life, lifetimeRow, renewal } from "./expiry.ts";
import { type Shape, shapeOf } from "../../sdk/shape.ts";
import { afterPrefix, collectionPrefix, compareKeys, decodeEntryKey, encodeEntryKey, noEntryKey } from "./state-key.ts";
import type { ServiceDefinition } from "../../sdk/service.ts";
import { assertNotNewer, currentState, currentText, readVersion, storedState, versionedText } from "./evolution.ts";
import type { StateView } from "./layers.ts";
import type { Change, Write } from "./store.ts";
import { define, entriesTakenBack, isPlainObject, isSameMap, takenBack } from "./take-back.ts";

/** What a copy needs to know of the service whose state it is. */
type CopiedService = Pick<ServiceDefinition, "contract" | "state" | "version" | "evolve" | "evolveEntries">;

/** Of a key that has no value. */
const NOTHING = { version: 0 };
const UNLOADED = Symbol("unloaded");

/** What a copy can be set back to: texts, so that it cannot change with the copy. */
export interface CopySnapshot {
  readonly value: string | undefined;
  /** The value itself where a function has it, and what sets it back with all that lies in it. */
  readonly held: Shape | null;
  readonly loaded: string | null;
  readonly cleared: boolean;
  readonly entries: ReadonlyMap<string, Change>;
  readonly marker: string | null;
  readonly checked: boolean;
  readonly assigned: number;
}

/** What a copy has, to be compared later. */
export interface CopyMark {
  readonly value: string;
  readonly loaded: string | null;
  readonly cleared: boolean;
  readonly entries: ReadonlyMap<string, Change>;
  readonly assigned: number;
}

/** What functions of a tried subtree have done to a copy, from one moment to another. */
export interface Kept {
  readonly before: CopySnapshot;
  /** As the last of them left it; null while none has ended, or where nobody else has it. */
  after: CopyMark | null;
}

export class EntityCopy {
  readonly entity: string;
  readonly #state: StateView;
  readonly #service: CopiedService;
  #value: unknown = UNLOADED;
  /** The value as text instead, while no function has it; null when it is that of the state. */
  #settled: string | null = null;
  /** Of the text that it had last, as loaded or settled. */
  #units = 0;
  /** How often the value was assigned, whether or not it is another since: a count, so that some of them can be taken back while others stand. */
  #assigned = 0;
  /** Text that the value had when it was loaded: unchanged means nothing to write. */
  #loaded: string | null = null;
  #cleared = false;
  /** What is stored beside entries that are written, where the value is of an older version or absent; null where it may stay. */
  #marker: string | null = null;
  /** The stored value was found to be none of a newer version. */
  #checked = false;
  /** Null while no entry is written: most copies have none. */
  #entries: Map<string, Change> | null = null;

  readonly #life: Life | null;
  /** When the state expires, as it was before this transaction: null for never, undefined before it was looked at. */
  #expiry: number | null | undefined = undefined;
  #used = false;

  /** @param life of state that has a time to live */
  constructor(entity: string, state: StateView, service: CopiedService, life: Life | null = null) {
    this.#life = life;
    this.entity = entity;
    this.#state = state;
    this.#service = service;
  }

  get #expiresAt(): number | null {
    if (this.#life === null) return null;
    if (this.#expiry === undefined) {
      const text = this.#state.get(expiryRow(this.entity), this.entity);
      this.#expiry = text === null ? null : Number(text);
    }
    return this.#expiry;
  }

  get #isExpired(): boolean {
    const at = this.#expiresAt;
    return at !== null && at <= (this.#life as Life).now;
  }

  /** Nothing that was committed is to be seen: it was deleted here, or its time is over. */
  get #isVoid(): boolean {
    this.#used = true;
    return this.#cleared || this.#isExpired;
  }

  /** Deletes what has expired, and nothing else; it is no use of the state. */
  expire(): void {
    if (this.#isExpired) this.clear();
  }

  get value(): unknown {
    this.#ensureLoaded();
    return this.#value;
  }

  set value(value: unknown) {
    this.#ensureLoaded();
    this.#assigned += 1;
    this.#value = value;
  }

  #ensureLoaded(): void {
    if (this.#value !== UNLOADED) return;
    if (this.#settled !== null) {
      this.#value = decodeValue(this.#settled);
      this.#settled = null;
    } else this.#load(this.#isVoid ? null : this.#state.get(this.entity, this.entity));
  }

  /**
   * An absent value starts as the service's initial state, which is written only once something differs from it, or it is assigned: as a copy, since a
   * service may give one object, or what lies in it, to everybody.
   */
  #load(stored: Change): void {
    this.#loaded = this.#textOf(stored);
    this.#units = this.#loaded.length;
    this.#value = decodeValue(this.#loaded);
  }

  #textOf(stored: Change): string {
    const text = stored === null ? null : currentState(this.#service, stored);
    return text ?? encodeValue(this.#service.state?.(), "the state");
  }

  /** As far as its text is known, it takes long to make another. */
  get isLarge(): boolean {
    return this.#units > LIMITS.settledUnits;
  }

  /** No function runs on it: the value is kept as text, so that one that goes on after its end changes nothing. @throws when that has none */
  settle(): void {
    if (this.#value === UNLOADED) return;
    this.#settled = encodeValue(this.#value, "the state");
    this.#units = this.#settled.length;
    this.#value = UNLOADED;
  }

  /** The value as text, for readers that must not share it. */
  valueText(): string {
    if (this.#settled !== null) return this.#settled;
    if (this.#value === UNLOADED && !this.#isVoid) {
      const stored = this.#state.get(this.entity, this.entity);
      if (stored !== null) return this.#textOf(stored);
    }
    return encodeValue(this.value, "the state");
  }

  getEntry(collection: string, key: string | number): Change {
    const full = collectionPrefix(this.entity, collection) + encodeEntryKey(key);
    const own = this.#entries?.get(full);
    const stored = own !== undefined || this.#isVoid ? (own ?? null) : this.#state.get(full, this.entity);
    return stored === null ? null : currentText(this.#service, collection, stored);
  }

  /** Whether this transaction has put or deleted an entry. */
  hasWritten(collection: string, key: string | number): boolean {
    return this.#entries?.has(collectionPrefix(this.entity, collection) + encodeEntryKey(key)) ?? false;
  }

  putEntry(collection: string, key: string | number, change: Change): void {
    if (change !== null && (key === Infinity || key === -Infinity)) throw noEntryKey(key);
    this.#beforeEntry();
    const stored = change === null ? null : versionedText(this.#service, change);
    (this.#entries ??= new Map()).set(collectionPrefix(this.entity, collection) + encodeEntryKey(key), stored);
  }

  /**
   * What is written without having been read might be of a newer version. The value tells: who writes entries in a version beyond the first sees to it
   * that the value is stored in that version too.
   */
  #beforeEntry(): void {
    if (this.#checked) return;
    const stored = this.#storedValue();
    const { version } = stored === null ? NOTHING : readVersion(stored, this.#service);
    assertNotNewer(this.#service, version);
    if (this.#service.version > 1 && version < this.#service.version)
      this.#marker = storedState(this.#service, this.#textOf(stored));
    this.#checked = true;
  }

  /** What is committed under the key, unless this copy has cleared that. */
  #storedValue(): Change {
    return this.#isVoid ? null : this.#state.get(this.entity, this.entity);
  }

  range(
    collection: string,
    options: { from?: string | number | undefined; to?: string | number | undefined; limit: number; reverse: boolean },
  ): Array<[string | number, string]> {
    const prefix = collectionPrefix(this.entity, collection);
    const from = options.from === undefined ? prefix : prefix + encodeEntryKey(options.from);
    const to = options.to === undefined ? afterPrefix(prefix) : prefix + encodeEntryKey(options.to);
    const entries = this.#entries;
    const own = [...(entries ?? [])].filter(
      ([key]) => key.startsWith(prefix) && compareKeys(key, from) >= 0 && compareKeys(key, to) < 0,
    );
    const committed = this.#isVoid
      ? []
      : this.#state.range(prefix, this.entity, from, to, options.limit + own.length, options.reverse);
    const merged = own.length === 0 ? committed : committed.filter(([key]) => !entries?.has(key));
    for (const [key, change] of own) if (change !== null) merged.push([key, change]);
    if (own.length > 0) {
      merged.sort(options.reverse ? (a, b) => compareKeys(b[0], a[0]) : (a, b) => compareKeys(a[0], b[0]));
    }
    return merged
      .slice(0, options.limit)
      .map(([key, stored]) => [
        decodeEntryKey(key.slice(prefix.length)),
        currentText(this.#service, collection, stored),
      ]);
  }

  /** Deletes value and entries; the value is the initial state again. */
  clear(): void {
    const stored = this.#storedValue();
    if (stored !== null) assertNotNewer(this.#service, readVersion(stored, this.#service).version);
    this.#checked = false;
    this.#marker = null;
    this.#cleared = true;
    this.#assigned = 0;
    this.#entries = null;
    this.#value = UNLOADED;
    this.#settled = null;
  }

  /** @param isHeld a function has the value, and will have it when the copy is set back */
  snapshot(isHeld = false): CopySnapshot {
    const value = this.#value === UNLOADED && this.#settled === null ? undefined : this.valueText();
    const own = this.#value;
    return {
      value,
      // It can be stored: so it has an end.
      held: isHeld && own !== UNLOADED ? shapeOf(own) : null,
      loaded: this.#loaded,
      cleared: this.#cleared,
      entries: new Map(this.#entries ?? []),
      marker: this.#marker,
      checked: this.#checked,
      assigned: this.#assigned,
    };
  }

  /** Null where its value cannot be stored. */
  mark(): CopyMark | null {
    try {
      return {
        value: this.valueText(),
        loaded: this.#loaded,
        cleared: this.#cleared,
        entries: new Map(this.#entries ?? []),
        assigned: this.#assigned,
      };
    } catch {
      return null;
    }
  }

  /** One who has assigned what was there has done something since. */
  isAt({ value, cleared, entries, assigned }: CopyMark): boolean {
    const now = this.mark();
    if (now === null || now.assigned !== assigned) return false;
    return now.value === value && now.cleared === cleared && isSameMap(now.entries, entries);
  }

  /**
   * Sets everything back. Where a function still has it (`aliased`) the value stays that very value, so that what it took of `ctx.state` is part of the
   * state, and what that function has changed since `after` stays.
   * @returns false where it has changed the same as was to be set back
   */
  restore({ before, after }: Kept, aliased: boolean): boolean {
    if (aliased && after !== null && !this.isAt(after)) return this.#takeBack(before, after);
    this.#cleared = before.cleared;
    this.#marker = before.marker;
    this.#checked = before.checked;
    this.#assigned = before.assigned;
    this.#entries = before.entries.size > 0 ? new Map(before.entries) : null;
    if (aliased) this.#restoreValue(before);
    else {
      this.#value = UNLOADED;
      this.#settled = before.value ?? null;
      this.#loaded = before.loaded;
    }
    return true;
  }

  /** What was done from `before` to `after`, and nothing that was done since. */
  #takeBack(before: CopySnapshot, after: CopyMark): boolean {
    // Whoever has cleared all since has cleared that, too.
    if (this.#cleared && !after.cleared) return true;
    if (before.cleared !== after.cleared && this.#cleared !== before.cleared) return false;
    const entries = entriesTakenBack(this.#entries ?? new Map(), before.entries, after.entries);
    if (entries === null) return false;
    const first = before.value ?? this.#storedText();
    try {
      if (this.valueText() === after.value) this.#restoreValue(before);
      else if (first !== after.value) {
        const back = takenBack(this.value, decodeValue(first), decodeValue(after.value), before.held);
        if (back === null) return false;
        this.#value = back.value;
      }
    } catch {
      // What the function has made of it cannot be stored, or does not let itself be changed.
      return false;
    }
    this.#entries = entries.size > 0 ? entries : null;
    // Who has cleared it again since has taken those back already.
    this.#assigned = Math.max(0, this.#assigned - (after.assigned - before.assigned));
    return true;
  }

  /** Where a function has it, and goes on with it. */
  #restoreValue(before: CopySnapshot): void {
    this.#settled = null;
    if (before.value === undefined) return this.#restoreUnloaded();
    this.#loaded = before.loaded;
    this.#value = decodeValue(before.value);
    if (before.held === null) return;
    try {
      before.held.setBack();
      this.#value = before.held.value;
    } catch {
      // The user's own object, a Proxy say, does as it likes: then it is not the state any more.
    }
  }

  /** The value's, of which this copy has changed nothing. */
  #storedText(): string {
    return this.#textOf(this.#storedValue());
  }

  #restoreUnloaded(): void {
    if (this.#value === UNLOADED) return;
    const before = this.#value;
    const text = this.#isVoid ? null : this.#state.get(this.entity, this.entity);
    try {
      this.#load(text);
    } catch {
      // The user's initial state cannot be made now: whoever asks for the value next is told so.
      this.#value = UNLOADED;
      return;
    }
    const fresh = this.#value;
    this.#value = before;
    this.#refill(fresh);
  }

  #refill(fresh: unknown): void {
    const current = this.#value;
    this.#value = fresh;
    try {
      if (isPlainObject(current) && isPlainObject(fresh) && refill(current, fresh)) this.#value = current;
    } catch {
      // The user's own object, a Proxy say, does as it likes: then it is not the state any more.
    }
  }

  /** What committing this copy changes, in order. */
  writes(): Write[] {
    const writes = this.#changes();
    const life = this.#life;
    if (life === null) return this.#cleared ? [this.#clearing, ...writes] : this.#withoutExpiry(writes);
    const isVoid = this.#cleared || (writes.length > 0 && this.#isExpired);
    if (isVoid) writes.unshift(this.#clearing);
    if (!life.renews) return writes;
    const isWritten = writes.length > (isVoid ? 1 : 0) || this.#isRewritten;
    const isUsed = life.after === "use" && this.#used && !this.#cleared && !this.#isExpired && this.#expiresAt !== null;
    const { name } = this.#service.contract;
    if (isWritten || isUsed) writes.push(...renewal(name, this.entity, life, isVoid ? null : this.#expiresAt));
    return writes;
  }

  /** What is there was assigned anew as it is: that stores nothing, and is a write to who lives by writes. */
  get #isRewritten(): boolean {
    if (this.#life?.after !== "write" || this.#assigned === 0 || this.#cleared || this.#isExpired) return false;
    return this.#expiresAt !== null || this.#storedValue() !== null;
  }

  /** The initial state was assigned where none is stored: from then on it is the key's, whatever initial state the service has later. */
  get #isFirst(): boolean {
    if (this.#assigned === 0 || this.#service.state === undefined) return false;
    const stored = this.#storedValue();
    return stored === null || currentState(this.#service, stored) === null;
  }

  /** What is written while the code declares no time to live must not expire at a time that other code has set before. */
  #withoutExpiry(writes: Write[]): Write[] {
    if (writes.length === 0 || !this.#state.hasLifetime(lifetimeRow(this.#service.contract))) return writes;
    const row = expiryRow(this.entity);
    if (this.#state.get(row, this.entity) !== null) writes.push({ op: "delete", key: row, text: "" });
    return writes;
  }

  get #clearing(): Write {
    return { op: "clear", key: this.entity, text: "" };
  }

  #changes(): Write[] {
    const writes: Write[] = [];
    if (this.#value !== UNLOADED || this.#settled !== null) {
      const text = this.#settled ?? encodeValue(this.#value, "the state");
      if (text !== this.#loaded || this.#isFirst)
        writes.push({ op: "put", key: this.entity, text: storedState(this.#service, text) });
    }
    if (this.#marker !== null && (this.#entries?.size ?? 0) > 0 && writes.at(-1)?.op !== "put")
      writes.push({ op: "put", key: this.entity, text: this.#marker });
    for (const [key, change] of this.#entries ?? []) {
      writes.push(change === null ? { op: "delete", key, text: "" } : { op: "put", key, text: change });
    }
    return writes;
  }
}

/** Makes an object equal to a fresh one; false when it is not to be changed. */
function refill(current: Record<string, unknown>, fresh: Record<string, unknown>): boolean {
  if (!Object.isExtensible(current)) return false;
  for (const name of Object.keys(current)) if (!Reflect.deleteProperty(current, name)) return false;
  for (const [name, value] of Object.entries(fresh)) define(current, name, value);
  return true;
}
