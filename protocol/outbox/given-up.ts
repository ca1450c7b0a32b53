/** Sagas whose message failed for good: a run goes on by its own messages, and nobody else would ever tell it. */
import type { AppDefinition } from "../../sdk/app.ts";
import { SAGA_ADVANCE, SAGA_GIVEN_UP, type SagaGivenUp } from "../../sdk/builtin/sagas.ts";
import { sagaServiceName } from "../../sdk/saga.ts";
import { decodeValue, encodeValue } from "../../sdk/values.ts";
import { UNKNOWN_SAGA } from "../partition/resolve.ts";
import type { Message } from "./message.ts";
import type { Letter } from "./posting.ts";

const SAGAS = sagaServiceName("");

/** What tells a run that it does not go on by this message; none where code knows the saga, or its step, no more: that may come back, and the letter is sent again. */
export function sagaLetters(app: AppDefinition, message: Message): Letter[] {
  const { service, key, name, sender, input, tries } = message;
  if (!service.startsWith(SAGAS) || name !== SAGA_ADVANCE || !app.builtins.has(service)) return [];
  const last = tries?.at(-1);
  if (last === undefined || last.type === UNKNOWN_SAGA) return [];
  const place = decodeValue(input) as Omit<SagaGivenUp, "error">;
  const error = { type: last.type, message: last.error };
  const told: SagaGivenUp = { ...place, error };
  return [{ sender, service, key, name: SAGA_GIVEN_UP, input: encodeValue(told), coded: true }];
}
