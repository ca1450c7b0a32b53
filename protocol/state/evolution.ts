/**
 * Versions of a service's state. What is stored says by which version it was written: text of version 1 stands as it is, later ones have `v2 ` before
 * it, which begins no value. Older text is brought up when it is read, and stored so when its transaction changes it; newer text is refused.
 */
import { TidegateError } from "../../sdk/errors.ts";
import type { ServiceDefinition } from "../../sdk/service.ts";
import { decodeValue, encodeValue } from "../../sdk/values.ts";

/** The parts of a service that concern its versions. */
export type Versioned = Pick<ServiceDefinition, "contract" | "version" | "evolve" | "evolveEntries">;

const MARK = 0x76;
/** Begins the names of the engine's own services. */
const INTERNAL = "#";
const PREFIX = /^v([1-9]\d{0,8}) /;

/** The version that stored text was written by, and what it wrote. */
export function readVersion(
  stored: string,
  service?: Pick<Versioned, "contract">,
): { readonly version: number; readonly text: string } {
  // What the engine's own services store is no text of the codec, and may begin with anything.
  if (stored.charCodeAt(0) !== MARK || service?.contract.name.startsWith(INTERNAL) === true)
    return { version: 1, text: stored };
  const [prefix, version] = PREFIX.exec(stored) ?? [];
  if (prefix === undefined) throw new TidegateError("damaged-data", "a stored value is of no version that can be read");
  return { version: Number(version), text: stored.slice(prefix.length) };
}

/** How text of the service's own version is stored. */
export function versionedText({ version }: Pick<Versioned, "version">, text: string): string {
  return version === 1 ? text : `v${version} ${text}`;
}

/** Beside entries of a service that has no state there is this, in its version: whoever adds a state to it finds none. */
const NONE = encodeValue(undefined);
/** The same value where a function has set it: what reads it ignores the member. */
const SET = JSON.stringify({ ...(JSON.parse(NONE) as object), v: 0 });

/** How a state is stored. One that was set to `undefined` is told from none; in the first version nothing stands for none. */
export function storedState({ version, state }: Pick<ServiceDefinition, "version" | "state">, text: string): string {
  return versionedText({ version }, text === NONE && version > 1 && state !== undefined ? SET : text);
}

/**
 * A stored state as the service's own version has it; null for none.
 * @throws TidegateError `newer-state`, or what the upcaster throws
 */
export function currentState(service: Versioned, stored: string): string | null {
  if (service.version === 1 && stored.charCodeAt(0) !== MARK) return stored;
  const { version, text } = readVersion(stored, service);
  if (version === 1 || (text !== NONE && text !== SET)) return currentText(service, null, stored);
  assertNotNewer(service, version);
  if (text === NONE) return null;
  return currentText(service, null, versionedText({ version }, NONE));
}

/**
 * Stored text as the service's own version has it.
 * @param collection of an entry; null for the value
 * @throws TidegateError `newer-state`, or what the upcaster throws
 */
export function currentText(service: Versioned, collection: string | null, stored: string): string {
  if (service.version === 1 && stored.charCodeAt(0) !== MARK) return stored;
  const { version, text } = readVersion(stored, service);
  if (version === service.version) return text;
  assertNotNewer(service, version);
  const steps = collection === null ? service.evolve : (service.evolveEntries[collection] ?? {});
  let value = decodeValue(text);
  for (let next = version + 1; next <= service.version; next++) {
    const step = steps[next];
    // Entries stay as they are where nothing is said of them.
    if (step !== undefined) value = step(value as never);
  }
  return encodeValue(value);
}

/** @throws TidegateError `newer-state` */
export function assertNotNewer({ contract, version }: Versioned, stored: number): void {
  if (stored <= version) return;
  throw new TidegateError(
    "newer-state",
    `the state of this key was written by version ${stored} of the service "${contract.name}", and this code has version ${version}: deploy the newer code again`,
  );
}
