/** Runs effects of a partition in the Worker's entrypoint `Effects`, which may be lost, or never answer. */
import { exports } from "cloudflare:workers";
import { LIMITS } from "../protocol/limits.ts";
import type { OutsideCall, OutsideEnd } from "../protocol/outside/work.ts";
import type { AppDefinition } from "../sdk/app.ts";
import { EFFECT_TIMEOUT_DEFAULT_MS } from "../sdk/limits.ts";
import { platformTimers } from "./sandbox.ts";

interface EffectsPort {
  run(call: OutsideCall): Promise<OutsideEnd>;
}

const MISSING: OutsideEnd = {
  ok: false,
  final: false,
  type: "misconfigured",
  message: "the Worker does not export the class Effects",
};

/** Resolves, whatever becomes of the attempt. */
export async function runOutside(app: AppDefinition, call: OutsideCall): Promise<OutsideEnd> {
  const { Effects } = exports as unknown as { readonly Effects?: EffectsPort };
  if (!Effects) return MISSING;
  const patience = (app.effects.get(call.name)?.timeoutMs ?? EFFECT_TIMEOUT_DEFAULT_MS) + LIMITS.effectMarginMs;
  return new Promise((resolve) => {
    const timer = platformTimers.setTimeout(
      () => resolve(lost(`no answer within ${patience} ms`, "timeout")),
      patience,
    );
    const end = (how: OutsideEnd): void => {
      clearTimeout(timer);
      resolve(how);
    };
    // What was thrown came over a call of the platform's: it broke, and the effect may have happened.
    Effects.run(asSent(call)).then(end, (error: unknown) =>
      end(lost(error instanceof Error ? error.message : "it broke")),
    );
  });
}

/** Code of the Worker from before effects had keys takes the id for one. */
function asSent(call: OutsideCall): OutsideCall {
  return { ...call, id: call.key };
}

function lost(message: string, type = "interrupted"): OutsideEnd {
  return { ok: false, final: false, type, message };
}
