/** Who may read streams, and what can be seen of flows: their state, late events and dead letters. */
import { describe, expect, it } from "vitest";
import { everyone } from "../../sdk/caller.ts";
import { CLOSED, DENIED, outcome } from "./outcome.ts";
import { appWith, door, token } from "./support.ts";

describe("API1 broken object level authorization: streams and flows", () => {
  const PAGE = JSON.stringify({ first: 0, events: ["{}"], end: 1 });
  const opened = (options: Parameters<typeof door>[0] = {}) => {
    const made = door(options);
    made.backend.answer = ({ function: name }) => ({ body: name === "flow" ? "{}" : PAGE });
    const get = async (path: string, as?: string) =>
      outcome(await made.ask(`${path}?follow=0`, as === undefined ? {} : { as }));
    return { ...made, get };
  };

  it("lets read a stream whom its rule for reading names; who may send to it may not for that", async () => {
    const { get, post } = opened();
    const reader = await token({ roles: ["reader"] });
    const collector = await token({ roles: ["collector"] });
    expect(await get("/v1/streams/visits", reader)).toBe("200");
    expect(await get("/v1/streams/visits", collector)).toBe(DENIED);
    expect(await get("/v1/streams/clicks", collector)).toBe(DENIED);
    expect(await get("/v1/streams/visits", "")).toBe(CLOSED);
    const headers = { "content-type": "application/x-ndjson" };
    expect(await outcome(await post("/v1/streams/visits", '{"page":"/","at":1}', { as: reader, headers }))).toBe(
      DENIED,
    );
  });

  it("lets see of a flow what its rules name, each by itself, and all of it where there is one rule", async () => {
    const { get } = opened();
    const anybody = await token({ sub: "anybody" });
    const auditor = await token({ roles: ["auditor"] });
    const owner = await token({ roles: ["owner of clicks-per-page"] });
    const [visits, clicks, hidden] = ["visits", "clicks-per-page", "hidden-clicks"].map((name) => `/v1/flows/${name}`);
    for (const [path, who, what] of [
      [visits, anybody, "200"],
      [`${visits}/late`, anybody, DENIED],
      [`${visits}/late`, auditor, "200"],
      [`${visits}/dead-letters`, auditor, DENIED],
      [clicks, anybody, DENIED],
      [clicks, owner, "200"],
      [`${clicks}/late`, owner, "200"],
      [`${clicks}/dead-letters`, owner, "200"],
      [hidden, owner, DENIED],
      [`${hidden}/late`, owner, DENIED],
      [visits, "", CLOSED],
      [`${visits}/late`, "", CLOSED],
    ] as const)
      expect([path, await get(path as string, who)]).toEqual([path, what]);
    for (const path of [hidden, `${hidden}/late`, `${hidden}/dead-letters`])
      expect(await get(path as string)).toBe("200");
  });

  it("opens to callers without a credential what everyone may read, and tells nobody else what there is", async () => {
    const { get } = opened({
      allow: { streams: { visits: { read: everyone } }, flows: { visits: { late: everyone } } },
    });
    expect(await get("/v1/streams/visits", "")).toBe("200");
    expect(await get("/v1/flows/visits/late", "")).toBe("200");
    for (const path of ["/v1/flows/visits", "/v1/flows/visits/dead-letters", "/v1/flows/none", "/v1/streams/none"])
      expect(await get(path, "")).toBe(CLOSED);
    for (const path of ["/v1/flows/none", "/v1/flows/none/late", "/v1/streams/none"])
      expect(await get(path, await token())).toBe(DENIED);
  });

  it.each([
    ["a flow that there is not", { flows: { none: everyone } }, /flow "none"/],
    [
      "something that cannot be done to a stream",
      { streams: { visits: { write: everyone } } },
      /"write" for the stream/,
    ],
    ["something that is no rule", { flows: { visits: { late: true } } }, /late of the flow "visits"/],
  ])("refuses an app with a rule for %s", (_, allow, message) => {
    expect(() => appWith({ allow } as never)).toThrow(message);
  });
});
