/** How long an epoch gathers when the coordinator's clock is not to be trusted. */
import { expect, test } from "vitest";
import { epochOf } from "../../protocol/epochs/epoch.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { Domain } from "./support/coordinator-net.ts";

const FIRST = epochOf(1, 1);

test("an epoch does not gather until a time that has become the far future: the clock was set back", () => {
  const d = new Domain();
  d.restart(1);
  d.say(1, { kind: "join" });
  d.say(1, { kind: "want", epoch: FIRST });
  d.say(1, { kind: "closed", epoch: FIRST, tagged: 1, counts: [], rejoin: true, ordered: false });
  d.now += 10;
  d.say(1, { kind: "prepared", epoch: FIRST });
  d.say(1, { kind: "want", epoch: FIRST + 1 });
  expect(d.orders(1).at(-1)).toEqual({ kind: "decide", epoch: FIRST });
  // By more than it would gather, and by less than what makes it start over.
  d.now -= LIMITS.maxClockBackMs;
  d.wake(LIMITS.maxGatherMs);
  expect(d.orders(1)).toEqual([{ kind: "close", epoch: FIRST + 1 }]);
});
