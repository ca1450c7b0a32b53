import { describe, expect, it } from "vitest";
import { checkMessageOrder } from "../../../sim/checkers/message-order.ts";

function arrived(numbers: readonly number[], count?: number): string[] {
  const received = { t: numbers.map((n) => ({ sender: "s", n })) };
  const sent = count === undefined ? {} : { sent: [{ sender: "s", target: "t", count }] };
  return checkMessageOrder({ ...sent, received }).map(({ anomaly }) => anomaly);
}

describe("one-way messages", () => {
  it.each<[string, number[], number | undefined, string[]]>([
    ["in order", [1, 2, 3], 3, []],
    ["none sent", [], 0, []],
    ["one arrives twice at once", [1, 2, 2, 3], 3, ["message-repeated"]],
    ["one arrives again later", [1, 2, 3, 1], 3, ["message-repeated"]],
    ["two change places", [2, 1, 3], 3, ["message-reordered"]],
    ["one in the middle is lost", [1, 3], 3, ["message-gap"]],
    ["the first is lost", [2, 3], 3, ["message-gap"]],
    ["the last is lost", [1, 2], 3, ["message-missing"]],
    ["all are lost", [], 2, ["message-missing"]],
    ["one of an aborted transaction arrives", [1, 2, 3], 2, ["message-unsent"]],
    ["one arrives of a sender that sent none", [1], 0, ["message-unsent"]],
    ["a number below the first", [0, 1], 1, ["message-unsent"]],
    ["how many were sent is not known", [1, 2], undefined, []],
    ["a gap shows though it is not known how many were sent", [1, 3], undefined, ["message-gap"]],
  ])("%s", (_, numbers, count, expected) => {
    expect(arrived(numbers, count)).toEqual(expected);
  });

  it("one that an operator has sent again comes behind those after it, but once, and none is missing", () => {
    const judged = (numbers: readonly number[]) => {
      const received = { t: numbers.map((n) => ({ sender: "s", n })) };
      const sent = [{ sender: "s", target: "t", count: 3 }];
      const sentAgain = [{ sender: "s", target: "t", n: 1 }];
      return checkMessageOrder({ sent, sentAgain, received }).map(({ anomaly }) => anomaly);
    };
    expect(judged([2, 3, 1])).toEqual([]);
    expect(judged([1, 2, 3, 1])).toEqual(["message-repeated"]);
    expect(judged([2, 3])).toEqual(["message-gap"]);
    expect(judged([3, 2, 1])).toEqual(["message-reordered"]);
  });

  it("of several senders and targets are counted apart", () => {
    const received = {
      t: [
        { sender: "a", n: 1 },
        { sender: "b", n: 1 },
        { sender: "a", n: 2 },
      ],
      u: [{ sender: "a", n: 1 }],
    };
    expect(checkMessageOrder({ received })).toEqual([]);
    const sent = [
      { sender: "a", target: "t", count: 2 },
      { sender: "a", target: "u", count: 2 },
    ];
    expect(checkMessageOrder({ sent, received }).map(({ anomaly, operations }) => [anomaly, operations])).toEqual([
      ["message-missing", ["a", "u"]],
      ["message-unsent", ["b", "t"]],
    ]);
  });
});
