/**
 * The first seed that finds each planted bug, and how: printed by `npm run sim -- --bugs`. Where the test begins to look, so that it is fast;
 * a change of the protocol or of the simulator may move them, which is no failure.
 */
import type { Known } from "./table.ts";

export const KNOWN: Readonly<Record<string, Known>> = {
  "skip-shared-lock": { seed: 1, by: "internal" },
  "skip-upgrade": { seed: 3, by: "incompatible-order" },
  "early-release": { seed: 1, by: "incompatible-order" },
  "never-wound": { seed: 1, by: "stall" },
  "kill-ignored": { seed: 1, by: "stall" },
  "answer-before-calls": { seed: 1, by: 'assertion "1: an attempt finishes while calls of it run"' },
  "answer-without-clock": { seed: 16, by: "reply-without-record" },
  "answer-without-subtree": { seed: 2, by: "answers that differ" },
  "orphans-not-asked-after": { seed: 2, by: "stall" },
};
