/** What clients ask for, from a seed. */
import type { Versions } from "../flows/drawn/app.ts";
import type { Random } from "../random.ts";
import { appendsOf, type Call, type Place, type Step } from "./steps.ts";
import type { Slates } from "./slates.ts";
import type { Ask } from "./transaction.ts";

/** Where transactions act, each with the partition that keeps it. */
export interface Ground {
  readonly lists: ReadonlyArray<{ readonly at: Place; readonly partition: number }>;
  readonly accounts: readonly string[];
  /** Most transactions stay in one partition. */
  readonly quiet: boolean;
  /** Most transactions read at one partition and write at another, or look at what such have written. */
  readonly reading: boolean;
  /** One-way messages are part of it. */
  readonly sends: boolean;
  /** Keys that send messages for later and get some; absent where that is no part of it. */
  readonly clocks?: readonly string[];
  /** Keys that ask for effects; likewise. */
  readonly outsiders?: readonly string[];
  /** Keys of events and of what counts them; likewise. */
  readonly flows?: readonly string[];
  /** Versions of the drawn flow; likewise. */
  readonly drawn?: Versions;
  /** Keys of events of the flow that ends in every way; likewise. */
  readonly ends?: readonly string[];
  /** Keys of events that come from a queue; likewise. */
  readonly queue?: readonly string[];
  /** Keys that are written to and cleared, and one that is erased; likewise. */
  readonly slates?: Slates;
  /** Keys whose schedules, messages and state depend on time; likewise. */
  readonly times?: readonly string[];
  /** Keys whose schedules there are; those of `times` are among them. */
  readonly ticks?: readonly string[];
  /** When the next versions of the app's code are deployed, ms; likewise. */
  readonly deploys?: readonly number[];
  /** A backup is taken after so many ms. */
  readonly backupMs?: number;
  /** Keys that make promises and start sagas that wait for some; likewise. */
  readonly waiters?: readonly string[];
}

type Shape = readonly [weight: number, name: string, make: (generator: Generator) => Ask | undefined];

export class Generator {
  readonly random: Random;
  readonly ground: Ground;
  readonly #nextValue: () => number;

  constructor(random: Random, ground: Ground, nextValue: () => number) {
    this.random = random;
    this.ground = ground;
    this.#nextValue = nextValue;
  }

  ask(): Ask {
    for (;;) {
      const shape = pickShape(this.random, this.#shapes());
      const ask = shape[2](this);
      if (ask) return ask.kind === "list" ? { ...ask, shape: shape[1] } : ask;
    }
  }

  #shapes(): readonly Shape[] {
    if (this.ground.quiet && !this.random.oneIn(8)) return QUIET;
    return this.ground.reading && !this.random.oneIn(4) ? READING : SHAPES;
  }

  run(at: Place, ...steps: Step[]): Ask {
    return { kind: "list", at, name: "run", steps, shape: "", appends: appendsOf(at, steps) };
  }
  look(at: Place, ...steps: Step[]): Ask {
    return { kind: "list", at, name: "look", steps, shape: "", appends: [] };
  }

  place(): Place {
    return this.random.pick(this.ground.lists).at;
  }
  /** Distinct places. */
  places(count: number): Place[] {
    const left = [...this.ground.lists];
    return Array.from({ length: Math.min(count, left.length) }, () => {
      const [taken] = left.splice(this.random.int(left.length), 1);
      return (taken as (typeof left)[number]).at;
    });
  }
  /** Two places of one partition; undefined when there are none. */
  neighbours(): [Place, Place] | undefined {
    const one = this.random.pick(this.ground.lists);
    const others = this.ground.lists.filter((other) => other !== one && other.partition === one.partition);
    return others.length > 0 ? [one.at, this.random.pick(others).at] : undefined;
  }
  /** One place in each of some partitions, so that calls between them cross. */
  apart(count: number): Place[] {
    const partitions = [...new Set(this.ground.lists.map(({ partition }) => partition))];
    const chosen: Place[] = [];
    while (chosen.length < count && partitions.length > 0) {
      const [partition] = partitions.splice(this.random.int(partitions.length), 1);
      chosen.push(this.random.pick(this.ground.lists.filter((list) => list.partition === partition)).at);
    }
    return chosen;
  }
  append(): Step {
    return { op: "append", value: this.#nextValue() };
  }
  /** A pause now and then. */
  pause(): Step[] {
    return this.random.oneIn(3) ? [{ op: "pause", ms: this.random.int(20) }] : [];
  }
  every(): number {
    return 1 + this.random.int(3);
  }
}

const read: Step = { op: "read" };
const call = (at: Place, ...steps: Step[]): Step => ({ op: "call", at, steps });
const look = (at: Place, ...steps: Step[]): Step => ({ op: "call", at, steps, look: true });

/** Kinds of transactions and how often they come. Those that cross partitions are what the simulator is for. */
const SHAPES: readonly Shape[] = [
  [10, "local", (g) => g.run(g.place(), read, ...g.pause(), g.append(), read)],
  [6, "local pair", (g) => pairOf(g)],
  [5, "local refusal", (g) => g.run(g.place(), read, { op: "refuse", every: g.every() }, g.append())],
  [4, "look", (g) => g.look(g.place(), ...g.pause(), read)],
  [6, "look far", (g) => lookFar(g)],
  [6, "look pair", (g) => lookPair(g)],
  [4, "read beside", (g) => readBeside(g)],
  [16, "chain", (g) => chain(g)],
  [10, "there and back", (g) => thereAndBack(g)],
  [7, "ring", (g) => ring(g)],
  [9, "side by side", (g) => sideBySide(g)],
  [8, "skew", (g) => skew(g)],
  [4, "upgrade", (g) => upgrade(g)],
  [3, "loose ends", (g) => looseEnds(g)],
  [3, "unawaited", (g) => unawaited(g)],
  [2, "crossing", (g) => crossing(g)],
  [7, "refusal far", (g) => failFar(g, "refuse")],
  [4, "throw far", (g) => failFar(g, "throw")],
  [7, "tried", (g) => tried(g)],
  [2, "caught", (g) => caught(g)],
  [9, "send", (g) => sendFar(g)],
  [3, "send tried", (g) => sendTried(g)],
  [10, "transfer", (g) => transfer(g)],
  [4, "audit", (g) => audit(g)],
];
/** What shows where a reader has left nothing: what overwrites it may be seen by who does not see the reader. */
const READING = SHAPES.filter(([, name]) => ["local", "look far", "skew"].includes(name));
/** What leaves other partitions out of epochs for a while. */
const QUIET = SHAPES.filter(([, name]) =>
  ["local", "local pair", "look", "look far", "look pair", "send"].includes(name),
);

function pickShape(random: Random, shapes: readonly Shape[]): Shape {
  let left = random.int(shapes.reduce((sum, [weight]) => sum + weight, 0));
  return shapes.find(([weight]) => (left -= weight) < 0) as Shape;
}

function pairOf(g: Generator): Ask | undefined {
  const pair = g.neighbours();
  return pair && g.run(pair[0], g.append(), call(pair[1], read, ...g.pause(), g.append()), read);
}

function lookFar(g: Generator): Ask {
  const [first, ...others] = g.places(2 + g.random.int(3)) as [Place, ...Place[]];
  if (g.random.oneIn(2)) {
    return g.look(first, read, { op: "all", calls: others.map((at) => ({ at, steps: [...g.pause(), read] })) });
  }
  return g.look(first, read, ...others.map((at) => call(at, ...g.pause(), read)));
}

function chain(g: Generator): Ask {
  const places = g.random.oneIn(3) ? g.places(2 + g.random.int(2)) : g.apart(2 + g.random.int(2));
  let inner: Step[] = [];
  for (const at of places.slice(1).reverse()) {
    const writes = g.random.oneIn(4) ? [] : [g.append()];
    inner = [call(at, read, ...g.pause(), ...writes, ...inner)];
  }
  const own = g.random.oneIn(3) ? [] : [g.append()];
  return g.run(places[0] as Place, read, ...inner, ...own);
}

function thereAndBack(g: Generator): Ask | undefined {
  const [a, b] = g.apart(2);
  if (!a || !b) return undefined;
  return g.run(a, read, g.append(), call(b, read, call(a, read, g.append()), ...g.pause(), g.append()), read);
}

function ring(g: Generator): Ask | undefined {
  const places = g.apart(3);
  const [a, b, c] = places;
  if (!a || !b || !c) return undefined;
  return g.run(a, g.append(), call(b, g.append(), ...g.pause(), call(c, read, g.append(), call(a, read, g.append()))));
}

function sideBySide(g: Generator): Ask {
  const [first, ...others] = g.places(3 + g.random.int(2)) as [Place, ...Place[]];
  const calls = others.map((at): Call => {
    const writes = g.random.oneIn(3) ? [] : [g.append()];
    return { at, steps: [read, ...g.pause(), ...writes] };
  });
  return g.run(first, read, { op: "all", calls }, g.append());
}

/** Reads some and writes another: what serializability forbids two of them to do at once. */
function skew(g: Generator): Ask {
  const [a, b, c] = g.places(3) as [Place, Place?, Place?];
  const ask = g.random.oneIn(3) ? call : look;
  const looks = [b, c].filter((at) => at !== undefined).map((at) => ask(at, read));
  return g.run(a, ...looks, ...g.pause(), g.append());
}

/** Looks at a list first, then appends to it: its shared lock becomes an exclusive one. */
function upgrade(g: Generator): Ask {
  const [a, b] = g.places(2) as [Place, Place];
  return g.run(a, look(b, read), ...g.pause(), call(b, g.append(), read));
}

/** One of its calls fails, and the others go on after the function has heard of that. */
function looseEnds(g: Generator): Ask {
  const [first, failing, ...others] = g.places(4) as [Place, Place, ...Place[]];
  const fails: Call = { at: failing, steps: [read, { op: "refuse", every: g.every() }] };
  const slow = others.map((at): Call => ({ at, steps: [{ op: "pause", ms: g.random.int(40) }, g.append()] }));
  return g.run(first, read, { op: "all", calls: [fails, ...slow] });
}

/** A function answers before what it began has ended, and does more when it has; its caller sees all of it, or nothing where that fails and was tried. */
function unawaited(g: Generator): Ask {
  const [first, second, ...others] = g.places(3 + g.random.int(2)) as [Place, Place, ...Place[]];
  const fails = g.random.oneIn(4);
  const calls = others.map((at, n): Call => {
    const end: Step[] = fails && n === others.length - 1 ? [{ op: "refuse", every: g.every() }] : [];
    return { at, steps: [...g.pause(), ...end, g.append()] };
  });
  const loose: Step = { op: "loose", calls, value: (g.append() as { value: number }).value };
  if (g.random.oneIn(3)) return g.run(first, read, loose);
  const op = g.random.oneIn(2) ? "try" : "call";
  return g.run(first, read, { op, at: second, steps: [g.append(), loose] }, call(second, read));
}

/** Calls at once that come to wait for each other, mostly: it may be given up as a cycle. */
function crossing(g: Generator): Ask | undefined {
  const [a, b, c] = g.apart(3);
  if (!a || !b || !c) return undefined;
  const over = (from: Place, to: Place): Call => ({ at: from, steps: [...g.pause(), call(to, g.append())] });
  return g.run(a, { op: "all", calls: [over(b, c), over(c, b)] });
}

function failFar(g: Generator, op: "refuse" | "throw"): Ask | undefined {
  const [a, b] = g.apart(2);
  if (!a || !b) return undefined;
  return g.run(a, read, g.append(), call(b, read, { op, every: g.every() }, g.append()), ...g.pause());
}

/** Part of it may be undone, in several partitions, and the rest goes on. */
function tried(g: Generator): Ask | undefined {
  const [a, b, c = a] = g.apart(3);
  if (!a || !b || !c) return undefined;
  const refuse: Step = { op: g.random.oneIn(4) ? "throw" : "refuse", every: g.every() };
  const inner: Step[] = g.random.oneIn(2)
    ? [read, refuse, g.append()]
    : [g.append(), call(c, g.append(), ...g.pause(), refuse), g.append()];
  const after: Step[] = g.random.oneIn(2) ? [call(b, read, g.append())] : [];
  return g.run(a, read, { op: "try", at: b, steps: inner }, g.append(), ...after, read);
}

function caught(g: Generator): Ask | undefined {
  const [a, b] = g.apart(2);
  if (!a || !b) return undefined;
  return g.run(
    a,
    g.append(),
    { op: "catch", at: b, steps: [read, { op: "refuse", every: 2 }, g.append()] },
    g.append(),
  );
}

function sendFar(g: Generator): Ask | undefined {
  if (!g.ground.sends) return undefined;
  const [a, b, c] = g.places(3) as [Place, Place, Place?];
  const more = g.random.oneIn(2) ? [send(b)] : [];
  const far: Step[] = c && g.random.oneIn(2) ? [call(c, send(b), g.append())] : [];
  return g.run(a, g.random.oneIn(2) ? sendOn(g, b, c ?? a) : send(b), ...more, ...far, g.append());
}

const send = (to: Place, ...steps: Step[]): Step => ({ op: "send", at: to, steps });

/** A message whose transaction reaches further, by a call or by a message of its own. */
function sendOn(g: Generator, to: Place, further: Place): Step {
  return send(to, g.random.oneIn(2) ? call(further, read, ...g.pause()) : send(further));
}

/** Messages of what is undone are never sent. */
function sendTried(g: Generator): Ask | undefined {
  if (!g.ground.sends) return undefined;
  const [a, b, c = a] = g.apart(3);
  if (!a || !b || !c) return undefined;
  const refuse: Step = { op: "refuse", every: g.every() };
  const [far, own]: [Step[], Step[]] = g.random.oneIn(2) ? [[call(c, send(a))], []] : [[], [send(c)]];
  return g.run(a, { op: "try", at: b, steps: [send(c), ...far, refuse, g.append()] }, ...own, send(b), g.append());
}

/** Two lists of one partition at once, seen from there or from afar, while others append to both. */
function lookPair(g: Generator): Ask | undefined {
  const pair = g.neighbours();
  if (!pair) return undefined;
  if (g.random.oneIn(2)) return g.look(pair[0], read, ...g.pause(), call(pair[1], read));
  const far = g.places(1)[0] as Place;
  return g.look(far, call(pair[0], read), ...g.pause(), call(pair[1], read));
}

/** What it only reads here is not undecided, what it appends beside that is. */
function readBeside(g: Generator): Ask | undefined {
  const pair = g.neighbours();
  const [far] = g.places(1);
  if (!pair || !far || pair.includes(far)) return undefined;
  return g.run(pair[0], look(pair[1], read), g.append(), call(far, g.append()));
}

function transfer({ random, ground }: Generator): Ask {
  const from = random.pick(ground.accounts);
  const others = ground.accounts.filter((account) => account !== from);
  return {
    kind: "transfer",
    from,
    to: random.pick(others),
    amount: 1 + random.int(70),
    pause: random.int(3) * random.int(10),
  };
}

function audit({ random, ground }: Generator): Ask {
  return { kind: "audit", at: random.pick(ground.accounts), accounts: ground.accounts };
}
