/** Streams and flows: each acknowledged event exactly once in every result, and every read one state of all that it shows. */
import { DRAWN_FLOW } from "../flows/drawn/app.ts";
import { Emitted, Kernel, Left, OUT, type OutName, Right } from "../flows/app.ts";
import type { FlowHistory, FlowRead, SentBatch } from "../flows/history.ts";
import { EmitsModel } from "../flows/model/emits.ts";
import type { FlowBatch, Outcome, Row } from "../flows/model/events.ts";
import { JoinsModel } from "../flows/model/joins.ts";
import { KernelModel } from "../flows/model/kernel.ts";
import { WindowsModel } from "../flows/model/windows.ts";
import { isRefusing, numberOf, versionOf } from "../flows/versions.ts";
import type { Finding } from "./finding.ts";
import type { DrawnVerdict } from "./flow-drawn.ts";
import { checkIdle } from "./flow-idle.ts";
import { checkOrder, orderOfEvents } from "./flow-order.ts";
import { checkReads, type Evaluated } from "./flow-reads.ts";
import { checkCalls, checkMessages, checkPairs, FinalReads, finding, sameRows, sameStream } from "./flow-results.ts";

/** Batches in their order, and how many rows of each came too late. */
type Lates = Pick<DrawnVerdict, "batches" | "late">;

interface Model {
  readonly watermark: number;
  /** @param version of the flow that takes it */
  take(batch: FlowBatch, version: number): Outcome;
  view(name: string): Row[];
}

/** @param drawn what a drawn flow has taken beside them; null where there is none */
export function checkFlows(history: FlowHistory, drawn: Lates | null = null): Finding[] {
  const final = new FinalReads(history);
  const from = (...streams: readonly string[]) => history.sent.filter(({ stream }) => streams.includes(stream));
  const logged = (flow: string, log: OutName, sent: readonly SentBatch[]) => {
    const numbers = final.stream(log).events.map(({ n }) => Number(n));
    const { batches, findings } = orderOfEvents(flow, sent, numbers.map(numberOf));
    const versions = findings.length > 0 ? [] : versionsOf(batches, numbers.map(versionOf));
    return { batches, versions, findings };
  };
  const windows = logged("windows", "windowsLog", from(Left.name));
  const joins = logged("joins", "joinsLog", from(Left.name, Right.name));
  const emits = logged("emits", "emitsLog", from(Emitted.name));
  const idle = logged("idle", "idleLog", from(Left.name, Right.name));
  const kernel = kernelOrder(history, from(Kernel.name));
  const orders = [windows, joins, emits, idle, kernel].flatMap(({ findings }) => findings);
  // What is judged by an order that is wrong would be wrong everywhere.
  if (orders.length > 0) return orders;
  const evaluated = {
    windows: evaluate(windows, () => new WindowsModel() as Model & WindowsModel),
    joins: evaluate(joins, () => new JoinsModel() as Model & JoinsModel),
    emits: evaluate(emits, () => new EmitsModel() as Model & EmitsModel),
    kernel: evaluate(kernel, () => new KernelModel() as Model & KernelModel),
  };
  return [
    ...checkNamed(emits),
    ...sameOrder(joins.batches, windows.batches),
    ...sameOrder(idle.batches, joins.batches),
    ...(drawn === null ? [] : sameOrder(drawn.batches, joins.batches)),
    ...checkAnswers(evaluated, final, idle.batches, drawn),
    ...checkAside(evaluated, final),
    ...checkStreams(evaluated, final),
    ...checkCalls(evaluated.windows.model, final.counters),
    ...checkMessages(evaluated.joins.model, final.counters),
    ...checkEmitted(emits.batches, final, history.sentAgain),
    ...checkLookups(evaluated, final),
    ...checkIdle(idle.batches, final),
    ...checkReads([...history.reads, ...finalReads(history)], evaluated, idle.batches, final),
  ];
}

type All = {
  readonly windows: Evaluated<WindowsModel>;
  readonly joins: Evaluated<JoinsModel>;
  readonly emits: Evaluated<EmitsModel>;
  readonly kernel: Evaluated<KernelModel>;
};

/** A version that would lose what it does not name takes nothing behind others. */
function checkNamed({ batches, versions }: { batches: readonly SentBatch[]; versions: readonly number[] }): Finding[] {
  const at = versions.findIndex(
    (version, place) => place > 0 && isRefusing(version) && !isRefusing(versions[place - 1] ?? 0),
  );
  if (at < 0) return [];
  return [
    finding("unnamed-lost", `flow emits has taken ${batches[at]?.name} by a version that does not name what it loses`),
  ];
}

interface Taken {
  readonly batches: readonly SentBatch[];
  /** Of the flow, by batch; the first where there is none. */
  readonly versions?: readonly number[];
}

function evaluate<M extends Model>({ batches, versions = [] }: Taken, make: () => M): Evaluated<M> {
  const model = make();
  const outcomes = batches.map((batch, at) => model.take(batch, versions[at] ?? 0));
  const after = (count: number): M => {
    const prefix = make();
    for (const [at, batch] of batches.slice(0, count).entries()) prefix.take(batch, versions[at] ?? 0);
    return prefix;
  };
  return { batches, model, outcomes, after };
}

/** By which version of a flow each batch was taken. @param logged the same of each event; a batch whose events differ is that of the first, and shows */
function versionsOf(batches: readonly SentBatch[], logged: readonly number[]): number[] {
  let at = 0;
  return batches.map(({ events }) => {
    const version = logged[at] ?? 0;
    at += events.length;
    return version;
  });
}

/** The kernel's flow keeps no list of its events: the order is that in which results became durable. */
function kernelOrder(
  { kernelOrder: names }: FlowHistory,
  sent: readonly SentBatch[],
): { batches: readonly SentBatch[]; findings: readonly Finding[] } {
  const byName = new Map(sent.map((batch) => [batch.name, batch]));
  const batches = names.flatMap((name) => byName.get(name) ?? []);
  return { batches, findings: checkOrder("kernel", sent, batches) };
}

/** Flows that read one stream have taken its batches in one order. */
function sameOrder(some: readonly SentBatch[], others: readonly SentBatch[]): Finding[] {
  const streams = new Set(others.map(({ stream }) => stream));
  const names = some.filter(({ stream }) => streams.has(stream)).map(({ name }) => name);
  const at = names.findIndex((name, place) => name !== others[place]?.name);
  if (at < 0 && names.length === others.length) return [];
  return [finding("wrong-output", `two flows have taken ${names[at]} and ${others[at]?.name} as the same`)];
}

/** How many were late is told to whoever sent a batch. */
function checkAnswers(
  { windows, joins, kernel }: All,
  final: FinalReads,
  idle: readonly SentBatch[],
  drawn: Lates | null,
): Finding[] {
  const late = new Map<SentBatch, Record<string, number>>();
  for (const [flow, { batches, outcomes }] of Object.entries({ windows, joins, kernel })) {
    for (const [at, batch] of batches.entries()) {
      late.set(batch, { ...late.get(batch), [flow]: outcomes[at]?.late.length ?? 0 });
    }
  }
  const idled = new Set(final.aside("late of idle"));
  for (const batch of idle) {
    const count = batch.events.filter(({ n }) => idled.has(`idled ${n}`)).length;
    late.set(batch, { ...late.get(batch), idle: count });
  }
  for (const [at, batch] of (drawn?.batches ?? []).entries())
    late.set(batch, { ...late.get(batch), [DRAWN_FLOW]: drawn?.late[at] ?? 0 });
  return [...late].flatMap(([{ name, events, answers }, counts]) =>
    answers.flatMap((body) =>
      sameRows(
        "wrong-answer",
        `the answer to ${name}`,
        [JSON.parse(body)],
        [{ accepted: events.length, late: counts }],
      ),
    ),
  );
}

function checkAside({ windows, joins }: All, final: FinalReads): Finding[] {
  const late = ({ outcomes }: Pick<Evaluated<unknown>, "outcomes">) =>
    outcomes.flatMap((outcome) => outcome.late.map(([operator, n]) => `${operator} ${n}`));
  const dead = windows.model.dead.map(({ n }) => `refused ${n}`);
  return [
    ...sameRows("wrong-late", "the list of late events of windows", final.aside("late of windows"), late(windows)),
    ...sameRows("wrong-late", "the list of late events of joins", final.aside("late of joins"), late(joins)),
    ...sameRows("wrong-late", "the list of late events of emits", final.aside("late of emits"), []),
    ...sameRows("wrong-dead-letters", "what was refused", final.aside("dead of windows"), dead),
  ];
}

function checkStreams({ windows, joins, emits }: All, final: FinalReads): Finding[] {
  const given = (name: OutName, { outcomes }: Pick<Evaluated<unknown>, "outcomes">) =>
    sameStream(
      OUT[name].name,
      final.stream(name),
      outcomes.map((outcome) => outcome.given[name] ?? []),
    );
  return [
    ...given("windowsLog", windows),
    ...given("tumbled", windows),
    ...(final.has("stream newer") ? given("newer", windows) : []),
    ...given("joinsLog", joins),
    ...given("slid", joins),
    ...given("emitsLog", emits),
    ...given("fired", emits),
    ...checkPairs(joins.model.near, final.stream("near")),
  ];
}

/** Events that a key has emitted are taken in that order, and no others. */
function checkEmitted(taken: readonly SentBatch[], final: FinalReads, sentAgain: ReadonlySet<number>): Finding[] {
  const numbers = taken.map(({ events }) => events[0]?.n ?? -1);
  const lists = Object.entries(final.counters).map(([key, { emitted }]) => [key, emitted] as const);
  const known = new Set(lists.flatMap(([, emitted]) => emitted));
  const unknown = numbers.find((n) => !known.has(n));
  if (unknown !== undefined) return [finding("wrong-output", `event ${unknown} was taken, and no key has emitted it`)];
  return lists.flatMap(([key, emitted]) => {
    const inOrder = emitted.filter((n) => !sentAgain.has(n));
    const own = new Set(inOrder);
    const order = numbers.filter((n) => own.has(n));
    if (order.join() === inOrder.join()) return [];
    return [
      finding("wrong-output", `key ${key} has emitted ${inOrder.join()}, which was taken as ${order.join()}`, key),
    ];
  });
}

/** What a flow sees of a service is the state of its own transaction: with all batches before, and with what the flow before it called in this one. */
function checkLookups({ windows, joins }: All, final: FinalReads): Finding[] {
  const place = new Map(windows.batches.map((batch, at) => [batch, at]));
  const expected = joins.batches.map((batch): Row[] => {
    if (batch.stream !== Left.name) return [];
    const at = place.get(batch) ?? -1;
    return batch.events.map(({ n, k }) => {
      const added = windows.model.added.get(k) ?? [];
      return { n, count: added.filter((each) => each.batch <= at).length };
    });
  });
  return sameStream("looked", final.stream("looked"), expected).map((found) => ({ ...found, anomaly: "wrong-lookup" }));
}

/** The last reads come behind everything. */
function finalReads({ final }: FlowHistory): FlowRead[] {
  const read = (name: string, ask: FlowRead["ask"]): FlowRead => ({
    name: `the last read of ${name}`,
    ask,
    fresh: true,
    invoked: Infinity,
    completed: Infinity,
    body: final.get(name) ?? "",
  });
  return [
    ...(["tumbled", "sessions", "totals", "newest", "running", "last", "counted"] as const).flatMap((view) =>
      final.has(`view ${view}`) ? [read(`view ${view}`, { kind: "view", view })] : [],
    ),
    read("kernel-view", { kind: "kernel-view" }),
  ];
}
