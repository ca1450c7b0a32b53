/** What clients ask for, as the rows of a frame have it. */
import { Promises } from "../../sdk/builtin/promises.ts";
import { type DelayedId, formatMessageId, parseMessageId } from "../../sdk/message-id.ts";
import { sagaServiceName } from "../../sdk/saga.ts";
import { CANCEL } from "../../protocol/timers/service.ts";
import { TIMERS } from "../../protocol/timers/timer.ts";
import { encodeFlowAsk, FLOW_INTERNAL, isFlowAsk } from "../flows/asks.ts";
import type { Place } from "./steps.ts";
import { tour, tourId } from "./tour-service.ts";
import type { Ask } from "./transaction.ts";

export interface EncodedAsk {
  readonly at: Place;
  readonly name: string;
  /** JSON text. */
  readonly input: string;
}

/** What was answered to a transaction, by its number; undefined when nothing was as yet. */
export type Answers = (number: number) => string | undefined;

export function encodeAsk(ask: Ask, answers: Answers = () => undefined): EncodedAsk {
  if (isFlowAsk(ask)) return encodeFlowAsk(ask);
  switch (ask.kind) {
    case "list":
      return { at: ask.at, name: ask.name, input: JSON.stringify({ steps: ask.steps }) };
    case "transfer": {
      const { to, amount, pause } = ask;
      return { at: ["bank", ask.from], name: "transfer", input: JSON.stringify({ to, amount, pause }) };
    }
    case "clock":
      return { at: ["tc", ask.at], name: ask.name, input: JSON.stringify(ask.input) };
    case "cancel": {
      const { id, key } = delayedOf(answers(ask.of));
      return { at: [TIMERS, key], name: CANCEL, input: id };
    }
    case "tick":
      return { at: ["tk", ask.at], name: ask.name, input: JSON.stringify(ask.input) };
    case "ticks-seen":
      return { at: ["tk", ask.at], name: "seen", input: "" };
    case "add":
      return { at: ["td", ask.at], name: "add", input: String(ask.n) };
    case "deployed-seen":
      return { at: ["td", ask.at], name: "seen", input: "" };
    case "use":
      return { at: ["tu", ask.at], name: ask.name, input: JSON.stringify(ask.input) };
    case "dead":
      return { at: ["#dead", ask.service], name: ask.name, input: ask.input };
    case "clock-seen":
      return { at: ["tc", ask.at], name: "seen", input: "" };
    case "effect":
      return { at: ["to", ask.at], name: "ask", input: JSON.stringify(ask.input) };
    case "effects-seen":
      return { at: ["to", ask.at], name: "seen", input: "" };
    case "trip":
      return { at: ["ts", ask.at], name: "begin", input: JSON.stringify(ask.input) };
    case "trips-seen":
      return { at: ["ts", ask.at], name: "seen", input: "" };
    case "park":
      return { at: ["tp", ask.at], name: "park", input: JSON.stringify(ask.input) };
    case "settle":
      return { at: [Promises.name, ask.id], name: "settle", input: JSON.stringify(ask.input) };
    case "promise":
      return { at: [Promises.name, ask.id], name: "status", input: "" };
    case "promises-seen":
      return { at: ["tp", ask.at], name: "seen", input: "" };
    case "tour":
      return { at: ["tv", ask.at], name: "begin", input: JSON.stringify(ask.input) };
    case "tour-run":
      return { at: [sagaServiceName(tour.name), tourId(ask.n)], name: ask.name, input: "" };
    case "tours-seen":
      return { at: ["tv", ask.at], name: "seen", input: "" };
    case "slate":
      return { at: ["tx", ask.at], name: ask.name, input: JSON.stringify(ask.input) };
    case "slates-seen":
      return { at: ["tx", ask.at], name: "seen", input: "" };
    case "erase":
      return { at: ["tx", ask.key], name: "#erase", input: "" };
    case "touch":
      return { at: ["tt", ask.at], name: "touch", input: String(ask.n) };
    case "messages":
      return { at: ask.at, name: "messages", input: "" };
    case "audit":
      return { at: ["bank", ask.at], name: "audit", input: JSON.stringify({ accounts: ask.accounts }) };
  }
}

/** As the edge takes the id apart; that of no message where none was named. */
export function delayedOf(answer: string | undefined): DelayedId {
  const { id } = (JSON.parse(answer ?? "null") as { readonly id: string } | null) ?? NOBODY;
  return parseMessageId(id) ?? { id, key: "" };
}
const NOBODY = { id: formatMessageId({ id: `t${"0".repeat(31)}`, key: "k0" }) };

/** Functions of the engine's own, by routes of their own: what is wrong with a request to them is told, and not recorded. */
const INTERNAL: ReadonlySet<Ask["kind"]> = new Set([
  "dead",
  "cancel",
  "settle",
  "promise",
  "tour-run",
  ...FLOW_INTERNAL,
]);

export function isInternal({ kind }: Ask): boolean {
  return INTERNAL.has(kind);
}

/** Beside what every request may be answered: there is no such thing, it is there already or settled, the input does not fit. */
export function maySayNo(ask: Ask): boolean {
  return ask.kind === "park" || (isInternal(ask) && ask.kind !== "dead" && ask.kind !== "cancel" && !isFlowAsk(ask));
}

/** The key whose partition runs the root function. */
export function keyOf(ask: Ask): string {
  if (isFlowAsk(ask) || ask.kind === "cancel") return encodeAsk(ask).at[1];
  if (ask.kind === "settle" || ask.kind === "promise" || ask.kind === "tour-run" || ask.kind === "erase")
    return encodeAsk(ask).at[1];
  if (ask.kind === "list" || ask.kind === "messages") return ask.at[1];
  if (ask.kind === "dead") return ask.service;
  return ask.kind === "transfer" ? ask.from : ask.at;
}
