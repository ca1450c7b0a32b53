import { describe, expect, it } from "vitest";
import {
  checkDurableBeforeReply,
  type DurableEvent,
  type ReplyEvent,
} from "../../../sim/checkers/durable-before-reply.ts";

const PARTICIPANTS = ["p0", "p1"];

function durable(
  at: number,
  partition: string,
  record: string,
  ids: string[],
  participants = PARTICIPANTS,
): DurableEvent {
  return { at, kind: "durable", partition, record, participants, ids };
}

function reply(at: number, id: string, ...saw: string[]): ReplyEvent {
  return { at, kind: "reply", id, saw };
}

function anomalies(...log: (DurableEvent | ReplyEvent)[]): string[] {
  return checkDurableBeforeReply(log).map(({ anomaly }) => anomaly);
}

describe("a reply", () => {
  it("may leave once every participant has its record, whoever has the id", () => {
    expect(anomalies(durable(1, "p0", "e5", ["i"]), durable(2, "p1", "e5", []), reply(2, "i"))).toEqual([]);
    expect(anomalies(durable(1, "p1", "e5", []), durable(1, "p0", "e5", ["i"]), reply(1, "i"), reply(9, "i"))).toEqual(
      [],
    );
  });

  it("may leave after its own partition's record on the local path", () => {
    expect(anomalies(durable(1, "p0", "p0/3", ["i"], ["p0"]), reply(2, "i"))).toEqual([]);
  });

  it("may not leave before another participant is durable, reader or not", () => {
    const [finding, ...others] = checkDurableBeforeReply([
      durable(1, "p0", "e5", ["i"]),
      reply(2, "i"),
      durable(3, "p1", "e5", []),
    ]);
    expect(others).toEqual([]);
    expect(finding).toEqual({
      anomaly: "reply-before-durable",
      operations: ["i"],
      explanation: "the answer to i left at 2: record e5 is not durable in p1",
    });
  });

  it("may not leave before its own record, in the same instant either", () => {
    expect(anomalies(reply(1, "i"), durable(1, "p0", "e5", ["i"]), durable(1, "p1", "e5", []))).toEqual([
      "reply-without-record",
    ]);
  });

  it("may not leave on the strength of another epoch's records", () => {
    expect(anomalies(durable(1, "p0", "e5", ["i"]), durable(2, "p1", "e6", []), reply(3, "i"))).toEqual([
      "reply-before-durable",
    ]);
  });

  it("may not leave before what it saw of others is durable", () => {
    const own = durable(2, "p2", "p2/1", ["j"], ["p2"]);
    const first = durable(1, "p0", "e5", ["i"]);
    expect(anomalies(first, own, reply(3, "j", "i"), durable(4, "p1", "e5", []))).toEqual(["reply-before-durable"]);
    expect(anomalies(first, own, durable(3, "p1", "e5", []), reply(4, "j", "i"))).toEqual([]);
  });

  it("may leave with the epoch in which its transaction ran again", () => {
    const aborted = durable(1, "p0", "e5", ["i"]);
    const again = [durable(5, "p0", "e7", ["i"]), durable(6, "p1", "e7", [])];
    expect(anomalies(aborted, ...again, reply(7, "i"))).toEqual([]);
    expect(anomalies(aborted, again[0]!, reply(5, "i"), again[1]!)).toEqual(["reply-before-durable"]);
  });

  it("waits for a participant that only another one's record names", () => {
    const log = [durable(1, "p0", "e5", ["i"], ["p0"]), durable(2, "p1", "e5", [], ["p0", "p1", "p2"]), reply(3, "i")];
    expect(anomalies(...log)).toEqual(["reply-before-durable"]);
  });
});

it("refuses a log that is not in the order of time", () => {
  expect(() => anomalies(reply(2, "i"), reply(1, "j"))).toThrow(/goes back/);
});
