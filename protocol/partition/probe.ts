/** When a coordinator that is waited for is asked for a sign of life. */
import { LIMITS } from "../limits.ts";

export class Probe {
  /** When it was last asked; ms. */
  #at = 0;

  isDue({ awaitsCoordinator }: { readonly awaitsCoordinator: boolean }, now: number): boolean {
    if (!awaitsCoordinator || now - this.#at < LIMITS.probeMs) return false;
    this.#at = now;
    return true;
  }
}
