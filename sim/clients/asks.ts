/** What clients ask for, as the rows of a frame have it. */
import { encodeFlowAsk, isFlowAsk } from "../flows/asks.ts";
import type { Place } from "./steps.ts";
import type { Ask } from "./transaction.ts";

export interface EncodedAsk {
  readonly at: Place;
  readonly name: string;
  /** JSON text. */
  readonly input: string;
}

export function encodeAsk(ask: Ask): EncodedAsk {
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
    case "dead":
      return { at: ["#dead", "tc"], name: ask.name, input: ask.input };
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
    case "touch":
      return { at: ["tt", ask.at], name: "touch", input: String(ask.n) };
    case "messages":
      return { at: ask.at, name: "messages", input: "" };
    case "audit":
      return { at: ["bank", ask.at], name: "audit", input: JSON.stringify({ accounts: ask.accounts }) };
  }
}

/** The key whose partition runs the root function. */
export function keyOf(ask: Ask): string {
  if (isFlowAsk(ask)) return encodeFlowAsk(ask).at[1];
  if (ask.kind === "list" || ask.kind === "messages") return ask.at[1];
  if (ask.kind === "dead") return "tc";
  return ask.kind === "transfer" ? ask.from : ask.at;
}
