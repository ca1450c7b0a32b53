/** Runs one attempt of an effect: input, handler, output, within its time. Whatever happens is an end that can be stored. */
import { issuesText } from "../../sdk/issues.ts";
import type { GivenCall, OutsideEnd } from "../../protocol/outside/work.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { type EffectContext, type EffectDefinition, EffectFailure } from "../../sdk/effect.ts";
import { EFFECT_ERROR_MAX_LENGTH } from "../../sdk/limits.ts";
import { type Schema, validate } from "../../sdk/schema.ts";
import { messageOf } from "../../sdk/thrown.ts";
import { decodeValue, encodeValue } from "../../sdk/values.ts";

export async function runEffect(app: AppDefinition, call: GivenCall, env: object): Promise<OutsideEnd> {
  const effect = app.effects.get(call.name);
  // Another version of the code may know it: this is no failure of the effect's own, and yet one that counts.
  if (!effect) return failed("unknown-effect", `this version of the Worker has no effect "${call.name}"`, false);
  const stop = new AbortController();
  const late = new Promise<OutsideEnd>((resolve) => {
    const timer = setTimeout(() => {
      const message = `the attempt took longer than ${effect.timeoutMs} ms`;
      resolve(failed("timeout", message, false));
      stop.abort(new DOMException(message, "TimeoutError"));
    }, effect.timeoutMs);
    stop.signal.addEventListener("abort", () => clearTimeout(timer));
  });
  const end = await Promise.race([attempt(effect, call, env, stop.signal), late]);
  // Also what an attempt that is over has left running: nobody waits for it.
  stop.abort();
  return end;
}

async function attempt(
  effect: EffectDefinition,
  call: GivenCall,
  env: object,
  signal: AbortSignal,
): Promise<OutsideEnd> {
  try {
    const input = await checked(effect.input, call.input === "" ? undefined : decodeValue(call.input));
    if (!input.ok) return failed("invalid-input", input.issues, true);
    const ctx: EffectContext = {
      idempotencyKey: call.key ?? call.id,
      attempt: call.attempt,
      at: call.at,
      signal,
      env: env as Readonly<Record<string, unknown>>,
      fail: (message) => new EffectFailure(message),
    };
    const output = await checked(effect.output, await effect.handler(ctx, input.value));
    if (!output.ok) return failed("invalid-output", output.issues, true);
    return { ok: true, value: encodeValue(output.value) };
  } catch (error) {
    return failed("effect-failed", messageOf(error), isFinal(error));
  }
}

/** What was thrown may itself throw when it is asked for its class. */
function isFinal(error: unknown): boolean {
  try {
    return error instanceof EffectFailure;
  } catch {
    return false;
  }
}

type Checked = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly issues: string };

async function checked(schema: Schema | undefined, value: unknown): Promise<Checked> {
  const result = await validate(schema, value);
  if (result.ok) return result;
  return { ok: false, issues: issuesText(result.issues) };
}

function failed(type: string, message: string, final: boolean): OutsideEnd {
  return { ok: false, final, type, message: message.slice(0, EFFECT_ERROR_MAX_LENGTH) };
}
