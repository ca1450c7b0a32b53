/** Which addresses are one caller's. */
import { expect, test } from "vitest";
import { networkOf } from "../../worker/door/network.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["", ""],
  ["2001:db8:0:7::1", "2001:db8:0:7"],
  ["2001:DB8:0:7:1:2:3:4", "2001:db8:0:7"],
  ["2001:0db8:0000:0007:ffff::", "2001:db8:0:7"],
  ["2001:db8::1", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
])("%s is counted as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});
