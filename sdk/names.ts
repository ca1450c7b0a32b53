/** The rules for names that appear in addresses, stored data and problem types. */

import { misconfigured } from "./errors.ts";
import { NAME_MAX_LENGTH } from "./limits.ts";

const SERVICE_OR_FUNCTION = new RegExp(`^[a-z][a-zA-Z0-9-]{0,${NAME_MAX_LENGTH - 1}}$`);
const KEBAB = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const FIELD = new RegExp(`^[a-zA-Z_][a-zA-Z0-9_-]{0,${NAME_MAX_LENGTH - 1}}$`);

/** A service's or function's name. `then` is kept free, or a bundle of functions would look like a promise. */
export function checkName(what: string, name: unknown): void {
  if (typeof name !== "string" || !SERVICE_OR_FUNCTION.test(name)) {
    throw misconfigured(
      `${what} ${show(name)} must start with a small letter and have at most ${NAME_MAX_LENGTH} letters, digits and hyphens`,
    );
  }
  if (name === "then")
    throw misconfigured(`${what} "then" is reserved: JavaScript takes an object with it for a promise`);
}

/** Whether a service or function could be called so. */
export function isName(name: string): boolean {
  return SERVICE_OR_FUNCTION.test(name) && name !== "then";
}

/** A refusal's, stream's, flow's or view's name: kebab-case. */
export function checkKebab(what: string, name: unknown): void {
  if (typeof name === "string" && name.length <= NAME_MAX_LENGTH && KEBAB.test(name)) return;
  throw misconfigured(
    `${what} ${show(name)} must be kebab-case: small letters, digits and single hyphens, at most ${NAME_MAX_LENGTH}`,
  );
}

/** A name that is a member of a JSON object: event fields, outputs, collections. */
export function checkField(what: string, name: unknown): void {
  if (typeof name === "string" && FIELD.test(name) && name !== "__proto__") return;
  throw misconfigured(
    `${what} ${show(name)} must have at most ${NAME_MAX_LENGTH} letters, digits, hyphens and underscores and not start with a digit or hyphen`,
  );
}

function show(name: unknown): string {
  return typeof name === "string" ? JSON.stringify(name.slice(0, 2 * NAME_MAX_LENGTH)) : `of type ${typeof name}`;
}
