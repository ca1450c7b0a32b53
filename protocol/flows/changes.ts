/** A flow that has been changed: which operators keep their state, and which lose it. */
import type { FlowProgram, SourceStep } from "../../dataflow/program.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { lostOperators, type LostOperator } from "../../sdk/flow.ts";
import { egressKey, type EgressStatus } from "./egress.ts";
import { type FlowState, type KnownSource, shardKey } from "./flow-state.ts";
import { EGRESS, type FlowContext } from "./internal.ts";

/** What a new version of a flow would lose: operators that are gone, those whose definition is another, and those that must begin anew with others. */
export function dropsOf(program: FlowProgram, state: FlowState): string[] {
  return lostOf(program, state).map(({ name }) => name);
}

function lostOf({ steps }: FlowProgram, { vertices }: FlowState): readonly LostOperator[] {
  return lostOperators(
    vertices,
    steps.filter((step) => step.kind === "vertex"),
  );
}

/**
 * The state as the present version goes on with it, and the shares whose state is dropped.
 * @throws TidegateError `flow-changed` when something would be lost that is not named
 */
export function checkVersion(
  program: FlowProgram,
  state: FlowState,
): { readonly state: FlowState; readonly dropped: readonly string[] } {
  const shards: string[] = [];
  const lost = lostOf(program, state);
  const dropped = lost.map(({ name }) => name);
  const unnamed = lost.filter(({ name }) => !program.definition.drops.includes(name));
  if (unnamed.length > 0) {
    throw new TidegateError(
      "flow-changed",
      `flow "${program.name}" would lose the state of ${unnamed.map(told).join(", ")}: restore what they were, or name them in \`drops\``,
    );
  }
  const live = new Set(Object.values(state.vertices));
  for (const [id, shares] of state.left ?? []) {
    // Code that knew of nothing that is left has gone on with these.
    if (live.has(id)) continue;
    for (let shard = 0; shard < shares; shard++) shards.push(shardKey(program.name, id, shard));
  }
  Reflect.deleteProperty(state, "left");
  for (const name of dropped) {
    const id = state.vertices[name] ?? "";
    for (const shard of (state.next[name] ?? []).keys()) shards.push(shardKey(program.name, id, shard));
    Reflect.deleteProperty(state.vertices, name);
    Reflect.deleteProperty(state.marks, name);
    Reflect.deleteProperty(state.next, name);
    state.read = (state.read ?? []).filter((each) => each !== name);
    if (state.woken !== undefined) state.woken = state.woken.filter((each) => each !== name);
  }
  for (const step of program.steps) if (step.kind === "vertex") state.vertices[step.name] = step.id;
  alignSources(program, state);
  return { state, dropped: shards };
}

function told({ name, with: other }: LostOperator): string {
  return other === null
    ? name
    : `${name} (with ${other}, which begins anew: one of them takes back results of the other)`;
}

/**
 * Sources are named in their order, which may be another by now: what is known of one goes on with the one of the same stream and time. Of a stream
 * several times may be read, and one of them says nothing of how far another has come.
 */
function alignSources({ steps }: FlowProgram, state: FlowState): void {
  const sources = steps.filter((step) => step.kind === "source");
  const isOwn = (source: SourceStep): boolean => {
    const known = state.sources[source.name];
    return known !== undefined && isOf({ ...known, stream: known.stream ?? source.stream.name }, source);
  };
  if (sources.every(isOwn)) return;
  const names = new Set(sources.map(({ name }) => name));
  const owned = new Set(sources.filter(isOwn).map(({ name }) => name));
  const left = Object.entries(state.sources).filter(([name]) => !owned.has(name));
  const others = sources.filter(({ name }) => !owned.has(name));
  const moved = new Map(others.map((source) => [source, takeOf(left, (known) => isOf(known, source))] as const));
  for (const kindOf of KINDS) {
    for (const source of others) {
      const isLike = (facts: SourceFacts): boolean => kindOf(facts) === kindOf(factsOf(source));
      const counts = [Object.values(state.sources), sources.map(factsOf)].map((all) => all.filter(isLike).length);
      if (counts.every((count) => count === 1)) moved.set(source, moved.get(source) ?? takeOf(left, isLike));
    }
  }
  const aligned: FlowState["sources"] = {};
  for (const source of sources) {
    const known = moved.has(source) ? moved.get(source) : state.sources[source.name];
    if (known !== undefined) aligned[source.name] = known;
  }
  // Of sources that are gone: another version may read their streams again. Their names may be those of others by now.
  for (const [name, known] of left) {
    if (!names.has(name)) aligned[name] = known;
    else if (known.stream !== undefined) aligned[goneAs(name, known)] = known;
  }
  state.sources = aligned;
}

type SourceFacts = Pick<KnownSource, "stream" | "time" | "outOfOrderness">;

/** What else a source is known by, the surest first. It goes on with what is known where there is one of that kind, before and now. */
const KINDS: ReadonlyArray<(facts: SourceFacts) => string> = [
  ({ stream, time }) => `${stream} ${time}`,
  ({ stream }) => `${stream}`,
];

function factsOf({ stream, time, outOfOrderness }: SourceStep): SourceFacts {
  return { stream: stream.name, time, outOfOrderness };
}

/** Older code did not write by which time: it is any of the stream's then. */
function isOf(known: KnownSource, { stream, time, outOfOrderness }: SourceStep): boolean {
  if (known.stream !== stream.name) return false;
  return (known.time ?? time) === time && (known.outOfOrderness ?? outOfOrderness) === outOfOrderness;
}

function takeOf(left: Array<[string, KnownSource]>, isIt: (known: KnownSource) => boolean): KnownSource | undefined {
  const at = left.findIndex(([, known]) => isIt(known));
  return at < 0 ? undefined : left.splice(at, 1)[0]?.[1];
}

function goneAs(name: string, { stream, time }: KnownSource): string {
  return time === undefined ? `${name} of ${stream}` : `${name} of ${stream} by ${time}`;
}

/** Ends in the outside world that are gone, and how many events wait there. */
async function goneEnds(
  ctx: FlowContext,
  program: FlowProgram,
  { ends = [] }: FlowState,
): Promise<Array<[string, number]>> {
  const now = endsOf(program);
  const gone = ends.filter((name) => !now.includes(name));
  return Promise.all(
    gone.map(async (name): Promise<[string, number]> => {
      const { head } = await ctx.ask(EGRESS, egressKey(program.name, name), "status", { head: null, rows: [] });
      return [name, (head as EgressStatus).waiting];
    }),
  );
}

export function endsOf({ sinks }: FlowProgram): string[] {
  return sinks.flatMap((sink) => (sink.kind === "egress" ? [sink.name] : []));
}

/** Those of them whose events a new version of the flow would lose. */
export async function endsDropped(ctx: FlowContext, program: FlowProgram, state: FlowState): Promise<string[]> {
  return (await goneEnds(ctx, program, state)).flatMap(([name, waiting]) => (waiting > 0 ? [name] : []));
}

/** Forgets ends that are gone. @throws TidegateError `flow-changed` when events that wait there would be lost, and it is not named */
export async function dropEnds(ctx: FlowContext, program: FlowProgram, state: FlowState): Promise<void> {
  const gone = await goneEnds(ctx, program, state);
  for (const [name, waiting] of gone) {
    if (waiting === 0 || program.definition.drops.includes(name)) continue;
    throw new TidegateError(
      "flow-changed",
      `flow "${program.name}" would lose ${waiting} events that wait for delivery at its end "${name}": restore it until they are delivered, or name it in \`drops\``,
    );
  }
  const left = (state.leftEnds ?? []).filter((name) => state.ends?.includes(name) !== true);
  for (const end of new Set([...gone.map(([name]) => name), ...left]))
    await ctx.ask(EGRESS, egressKey(program.name, end), "clear", { head: null, rows: [] });
  Reflect.deleteProperty(state, "leftEnds");
  state.ends = endsOf(program);
}
