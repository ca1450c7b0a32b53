import { describe, expect, it } from "vitest";
import { LIMITS as PARTITION } from "../../protocol/limits.ts";
import { LIMITS } from "../../worker/limits.ts";
import { platformError } from "./support/backend.ts";
import { edge, problemIn } from "./support/edge.ts";

const VIEW = "/v1/views/sales-per-minute";

describe("a view", () => {
  it("is read from the partition of its flow's stream, and passed on as it is", async () => {
    const { ask, backend } = edge();
    backend.viewAnswer = { status: 200, body: '{"rows":[{"key":"a","n":9007199254740993}],"next":"c1"}', epoch: "12" };
    const response = await ask(`${VIEW}?limit=5&cursor=c0`);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(backend.viewAnswer.body);
    expect(response.headers.get("tidegate-epoch")).toBe("12");
    const partition = backend.map.groups[backend.kernels().hashKey("sales") & 1023];
    expect(backend.viewed).toEqual([
      { partition, query: { view: "sales-per-minute", key: undefined, limit: 5, after: "c0" } },
    ]);
  });

  it("is asked for one key, in either spelling", async () => {
    const { ask, backend } = edge();
    await ask(`${VIEW}/a%2Fb`);
    await ask(`${VIEW}/~YS9i`);
    const asked = { view: "sales-per-minute", key: "a/b", limit: LIMITS.viewRowsDefault, after: undefined };
    expect(backend.viewed.map(({ query }) => query)).toEqual([asked, asked]);
  });

  it("is ranked by a number of its rows, all of them, exactly", async () => {
    const { ask, backend } = edge();
    const row = (key: string, revenue: string): string => `{"key":"${key}","revenue":${revenue},"worth":1.5}`;
    const rows = [
      row("a", "9007199254740992"),
      row("b", "9007199254740993"),
      row("c", "7"),
      row("d", "9007199254740993"),
    ];
    backend.viewAnswer = { status: 200, body: `{"rows":[${rows.join()}],"watermark":5}`, epoch: "12" };
    const response = await ask(`${VIEW}?top=revenue&limit=3`);
    expect(await response.text()).toBe(`{"rows":[${[rows[1], rows[3], rows[0]].join()}],"watermark":5}`);
    expect(response.headers.get("tidegate-epoch")).toBe("12");
    expect(backend.viewed.map(({ query }) => query.limit)).toEqual([LIMITS.viewRowsMax]);
    backend.viewAnswer = { ...backend.viewAnswer, body: `{"rows":[${rows.join()}],"watermark":5,"next":"c1"}` };
    expect(await problemIn(await ask(`${VIEW}?top=revenue`))).toMatchObject({ type: "/problems/invalid-parameter" });
  });

  it("is ranked for one key by what all answers have whose rows do not change, unless they are too many", async () => {
    const { ask, backend } = edge();
    const row = (revenue: number, more = ""): string => `{"key":"a","revenue":${revenue}${more}}`;
    const bodies = [
      `{"rows":[${row(5)}],"watermark":5,"next":"c1"}`,
      `{"rows":[],"watermark":5,"next":"c2"}`,
      `{"rows":[${row(3)},${row(9)}],"watermark":6}`,
    ];
    backend.arrive = ({ index }) => {
      backend.viewAnswer = { status: 200, body: bodies[index] as string, epoch: "12" };
    };
    const response = await ask(`${VIEW}/a?top=revenue&limit=2`);
    expect(await response.text()).toBe(`{"rows":[${row(9)},${row(5)}],"watermark":6}`);
    expect(backend.viewed.map(({ query }) => query.after)).toEqual([undefined, "c1", "c2"]);
    const long = `,"more":"${"x".repeat(PARTITION.maxViewChars / 2)}"`;
    bodies.push(...["c1", "c2", "c3"].map((next) => `{"rows":[${row(1, long)}],"watermark":5,"next":"${next}"}`));
    expect(await problemIn(await ask(`${VIEW}/a?top=revenue`))).toMatchObject({ type: "/problems/invalid-parameter" });
    expect(backend.viewed.length).toBe(5);
  });

  it("says how far its flow has come, without a row", async () => {
    const { ask, backend } = edge();
    const body = '{"rows":[],"watermark":5,"events":3,"late":1,"batches":2}';
    backend.viewAnswer = { status: 200, body, epoch: "12" };
    expect(await (await ask("/v1/flows/sales-per-minute")).json()).toMatchObject({
      status: { events: 3, batches: 2, late: 1, watermarks: { window: 5 } },
    });
    expect(backend.viewed.map(({ query }) => query)).toEqual([
      { view: "sales-per-minute", key: undefined, limit: 0, after: undefined },
    ]);
  });

  it("says by what it can be ranked", async () => {
    const problem = await problemIn(await edge().ask(`${VIEW}?top=revenues`));
    expect(problem.detail).toBe("?top= is a member of the rows that is a number, here orders, revenue, worth");
  });

  it.each([
    ["/v1/views/nothing", 404, "unknown-view"],
    ["/v1/views/nothing/a", 404, "unknown-view"],
    ["/v1/views/constructor", 404, "unknown-view"],
    [`${VIEW}/%FF`, 400, "invalid-key"],
    [`${VIEW}?limit=0`, 400, "invalid-parameter"],
    [`${VIEW}?top=`, 400, "invalid-parameter"],
    [`${VIEW}?top=key`, 400, "invalid-parameter"],
    [`${VIEW}?limit=1e3`, 400, "invalid-parameter"],
    [`${VIEW}?limit=${LIMITS.viewRowsMax + 1}`, 400, "invalid-parameter"],
    [`${VIEW}?limit=`, 400, "invalid-parameter"],
    [`${VIEW}?cursor=${"x".repeat(LIMITS.viewCursorChars + 1)}`, 400, "invalid-parameter"],
    [`${VIEW}/`, 404, "not-found"],
  ])("refuses %s", async (path, status, type) => {
    const { ask, backend } = edge();
    const response = await ask(path);
    expect(response.status).toBe(status);
    expect((await problemIn(response)).type).toBe(`/problems/${type}`);
    expect(backend.viewed).toHaveLength(0);
  });

  it("is asked again when the connection was lost", async () => {
    const { ask, backend } = edge();
    let failures = 2;
    backend.arrive = () => {
      if (failures-- > 0) throw platformError("Network connection lost.", { retryable: true });
    };
    expect((await ask(VIEW)).status).toBe(200);
  });
});
