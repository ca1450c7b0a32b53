import { describe, expect, it } from "vitest";
import { checkDeadly, type DeadlyHistory } from "../../../sim/checkers/deadly.ts";

const sound: DeadlyHistory = { kills: [["a.1", 5]], letters: [{ who: "a.1", isDeadly: true }], isOver: true };

describe("messages that end who runs them", () => {
  it.each<[string, Partial<DeadlyHistory>, string[]]>([
    ["one is given up", {}, []],
    ["none has run", { kills: [], letters: [] }, []],
    ["one is tried too often", { kills: [["a.1", 6]] }, ["deadly-forever"]],
    ["one is tried too seldom to be given up", { kills: [["a.1", 2]], letters: [], isOver: false }, ["deadly-forever"]],
    ["one is lost", { letters: [] }, ["deadly-not-kept"]],
    ["another is given up", { letters: [...sound.letters, { who: "b.2", isDeadly: false }] }, ["innocent-given-up"]],
  ])("%s", (_, history, expected) => {
    expect(checkDeadly({ ...sound, ...history }, 5).map(({ anomaly }) => anomaly)).toEqual(expected);
  });
});
