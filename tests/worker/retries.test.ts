import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ANSWER_FLAG } from "../../protocol/wire/answer.ts";
import { initialMap } from "../../protocol/keygroups/map.ts";
import { unstarted } from "../../protocol/unstarted.ts";
import { problemOf, type ProblemType } from "../../sdk/problems.ts";
import { LIMITS } from "../../worker/limits.ts";
import { backoff } from "../../worker/retries.ts";
import { type FakeBackend, platformError } from "./support/backend.ts";
import { edge, problemIn } from "./support/edge.ts";

const DEPOSIT = "/v1/services/account/alice/deposit";
const lost = () => platformError("Network connection lost.", { retryable: true });

/** As the platform tells of an object whose storage took too long, or that had too much in memory. */
const resetByLoad = () =>
  platformError("Durable Object storage operation exceeded timeout which caused object to be reset.", {
    remote: true,
    overloaded: true,
    durableObjectReset: true,
  });

const retryable = (status: number, type: ProblemType) => ({
  status,
  flags: ANSWER_FLAG.retryable,
  body: JSON.stringify(problemOf(type)),
});

/** Runs what waits on timers, and only counts the time. */
async function settle(answer: Promise<Response>): Promise<Response> {
  await vi.advanceTimersByTimeAsync(60_000);
  return answer;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a lost message", () => {
  it.each([
    ["retryable", platformError("internal error", { retryable: true })],
    ["an object that was reset", platformError("broken", { durableObjectReset: true, remote: true })],
    ["an object that was reset by its load", resetByLoad()],
    ["a lost connection", new Error("Network connection lost.")],
  ])("is sent again with the same request id after: %s", async (_name, error) => {
    const { post, backend } = edge();
    backend.arrive = ({ index }) => {
      if (index < 2) throw error;
    };
    const response = await settle(post(DEPOSIT, "{}"));
    expect(response.status).toBe(200);
    expect(backend.executed).toHaveLength(1);
    expect(backend.arrivals).toHaveLength(3);
    expect(new Set(backend.arrivals.map(({ bytes }) => Buffer.from(bytes).toString("hex"))).size).toBe(1);
  });

  it("is executed once when only its answer was lost", async () => {
    const { post, backend } = edge();
    backend.leave = (answer, { index }) => {
      if (index === 0) throw lost();
      return answer;
    };
    const response = await settle(post(DEPOSIT, "{}"));
    expect(response.status).toBe(200);
    expect(backend.executed).toHaveLength(1);
    expect(response.headers.has("idempotency-replayed")).toBe(false);
  });

  it("is sent again after a damaged answer, at any bit", async () => {
    for (const bit of [0, 70, 130, 200, 250, 300, 700]) {
      const { post, backend } = edge();
      backend.leave = (answer, { index }) => {
        if (index > 0) return answer;
        const damaged = answer.slice();
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        return damaged;
      };
      expect((await settle(post(DEPOSIT, "{}"))).status).toBe(200);
      expect(backend.arrivals).toHaveLength(2);
      expect(backend.executed).toHaveLength(1);
    }
  });

  it("is sent again when it arrived damaged", async () => {
    const { post, backend } = edge();
    backend.arrive = ({ index }) => {
      if (index === 0) throw new Error("CorruptError: corrupt bytes (checksum): expected other");
    };
    expect((await settle(post(DEPOSIT, "{}"))).status).toBe(200);
  });

  it("is given up after the last attempt, as an outcome that nobody knows", async () => {
    const { post, backend } = edge();
    backend.leave = () => {
      throw lost();
    };
    const response = await settle(post(DEPOSIT, "{}"));
    expect(response.status).toBe(504);
    expect(await problemIn(response)).toMatchObject({ type: "/problems/deadline-exceeded", retryable: true });
    expect(backend.arrivals).toHaveLength(LIMITS.attempts);
    expect(backend.executed).toHaveLength(1);
  });

  it("is refused, with nothing done, when its partition does not start", async () => {
    const { post, backend } = edge();
    // As the platform hands on what the object threw.
    const thrown = platformError(unstarted(new Error("a secret of the storage")).message, { durableObjectReset: true });
    backend.arrive = () => {
      throw thrown;
    };
    const response = await settle(post(DEPOSIT, "{}"));
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    const problem = await problemIn(response);
    expect(problem).toMatchObject({ type: "/problems/overloaded", retryable: true });
    expect(problem.detail).toContain("does not start; nothing was done");
    expect(problem.detail).not.toContain("secret");
    expect(backend.arrivals).toHaveLength(LIMITS.attempts);
  });

  it.each([0, LIMITS.attempts - 1])(
    "may have run where attempt %i found its partition, and it did not start again",
    async (found) => {
      const { post, backend } = edge();
      backend.arrive = ({ index }) => {
        throw index === found ? lost() : unstarted("gone");
      };
      const response = await settle(post(DEPOSIT, "{}"));
      expect(response.status).toBe(504);
      expect(await problemIn(response)).toMatchObject({ type: "/problems/deadline-exceeded", retryable: true });
    },
  );

  it("is refused likewise when nobody says which partition that is, since the coordinator does not start", async () => {
    const { post, backend } = edge();
    backend.keyGroupMap = () => Promise.reject(unstarted("gone"));
    const response = await settle(post(DEPOSIT, "{}"));
    expect(response.status).toBe(503);
    expect((await problemIn(response)).detail).toContain("does not start; nothing was done");
  });

  it("is handled once its partition has started", async () => {
    const { post, backend } = edge();
    backend.arrive = ({ index }) => {
      if (index < LIMITS.attempts - 1) throw unstarted("not yet");
    };
    expect((await settle(post(DEPOSIT, "{}"))).status).toBe(200);
    expect(backend.executed).toHaveLength(1);
  });

  it("ends as internal-error when every answer is damaged", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { post, backend } = edge();
    backend.leave = () => new Uint8Array(40);
    const response = await settle(post(DEPOSIT, "{}"));
    expect(response.status).toBe(500);
    expect(backend.arrivals).toHaveLength(LIMITS.attempts);
    log.mockRestore();
  });

  it("is not sent after the deadline", async () => {
    const { post, backend } = edge();
    backend.arrive = async () => {
      await new Promise((resolve) => setTimeout(resolve, 12_500));
      throw lost();
    };
    const response = await settle(post(DEPOSIT, "{}"));
    expect(response.status).toBe(504);
    expect(backend.arrivals).toHaveLength(3);
  });

  it("is not sent again when the pause would end after the deadline", async () => {
    const { post, backend } = edge();
    backend.arrive = async () => {
      await new Promise((resolve) => setTimeout(resolve, LIMITS.requestDeadlineMs - LIMITS.retryBaseMs / 4));
      throw lost();
    };
    expect((await settle(post(DEPOSIT, "{}"))).status).toBe(504);
    expect(backend.arrivals).toHaveLength(1);
  });

  it("is given up at the deadline when no answer comes at all", async () => {
    const { post, backend } = edge();
    backend.arrive = () => new Promise(() => undefined);
    const answered = post(DEPOSIT, "{}");
    await vi.advanceTimersByTimeAsync(LIMITS.requestDeadlineMs - 1);
    let done = false;
    void answered.then(() => (done = true));
    await vi.advanceTimersByTimeAsync(0);
    expect(done).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await problemIn(await answered)).type).toBe("/problems/deadline-exceeded");
    expect(backend.arrivals).toHaveLength(1);
  });

  it("leaves no timer behind once it is answered", async () => {
    await edge().post(DEPOSIT, "{}");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("waits longer from attempt to attempt, and never longer than the maximum", () => {
    for (let failures = 1; failures < 20; failures++) {
      const full = Math.min(LIMITS.retryBaseMs * 2 ** (failures - 1), LIMITS.retryMaxMs);
      const pause = backoff(failures);
      expect(pause).toBeGreaterThanOrEqual(full / 2);
      expect(pause).toBeLessThanOrEqual(full);
    }
  });
});

describe("overload", () => {
  it("is answered at once with 503 and Retry-After", async () => {
    const { post, backend } = edge();
    backend.arrive = () => {
      throw platformError("Durable Object is overloaded.", { overloaded: true, retryable: true });
    };
    const response = await post(DEPOSIT, "{}");
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await problemIn(response)).toMatchObject({ type: "/problems/overloaded", retryable: true });
    expect(backend.arrivals).toHaveLength(1);
  });

  it("does not claim that nothing was done when an earlier attempt may have run", async () => {
    const { post, backend } = edge();
    backend.arrive = ({ index }) => {
      if (index > 0) throw platformError("overloaded", { overloaded: true });
    };
    backend.leave = () => {
      throw lost();
    };
    const response = await settle(post(DEPOSIT, "{}"));
    expect(response.status).toBe(504);
    expect(backend.executed).toHaveLength(1);
  });

  it("of an object that was reset by it may come after the request has run: it is sent again, and runs once", async () => {
    const { post, backend } = edge();
    backend.leave = (answer, { index }) => {
      if (index === 0) throw resetByLoad();
      return answer;
    };
    expect((await settle(post(DEPOSIT, "{}"))).status).toBe(200);
    expect(backend.executed).toHaveLength(1);
    backend.leave = () => {
      throw resetByLoad();
    };
    const response = await settle(post(DEPOSIT, "{}"));
    expect(await problemIn(response)).toMatchObject({ type: "/problems/deadline-exceeded", retryable: true });
    expect(response.status).toBe(504);
  });
});

describe("an error of the partition's own", () => {
  it("is not sent again: it would fail again", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { post, backend } = edge();
    backend.arrive = () => {
      throw platformError("invariant 3", { remote: true });
    };
    expect((await post(DEPOSIT, "{}")).status).toBe(500);
    expect(backend.arrivals).toHaveLength(1);
    log.mockRestore();
  });
});

describe("an answer that asks to be asked again", () => {
  it("after a move: the map is fetched anew, and the message goes where the key is now", async () => {
    const { post, backend } = edge();
    const moved = initialMap(4);
    backend.trueMap = { ...moved, version: 2, groups: moved.groups.map((partition) => (partition + 1) % 4) };
    const response = await post(DEPOSIT, "{}");
    expect(response.status).toBe(200);
    expect(backend.refreshes).toBe(1);
    expect(backend.arrivals).toHaveLength(2);
    expect(backend.executed).toHaveLength(1);
  });

  it("while a group moves for ever: 503, and nothing was done", async () => {
    const { post, backend } = edge();
    const elsewhere = initialMap(4);
    backend.trueMap = { ...elsewhere, groups: elsewhere.groups.map(() => 9) };
    backend.refreshMap = () => undefined;
    const response = await settle(post(DEPOSIT, "{}"));
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(backend.arrivals).toHaveLength(LIMITS.attempts);
    expect(backend.executed).toHaveLength(0);
  });

  it("because nothing was done: with the same id, until it is done", async () => {
    const { post, backend } = edge();
    const body = JSON.stringify(problemOf("transaction-aborted"));
    backend.answer = () =>
      backend.arrivals.length < 3 ? { status: 500, flags: ANSWER_FLAG.retryable, body } : undefined;
    const response = await settle(post(DEPOSIT, "{}"));
    expect(response.status).toBe(200);
    expect(backend.arrivals).toHaveLength(3);
  });

  it("and never gets done: the partition's own problem is passed on", async () => {
    const { post, backend } = edge();
    const body = JSON.stringify(problemOf("transaction-aborted", "tried and tried"));
    backend.answer = () => ({ status: 500, flags: ANSWER_FLAG.retryable, body });
    const response = await settle(post(DEPOSIT, "{}"));
    expect(response.status).toBe(500);
    expect(await problemIn(response)).toMatchObject({
      type: "/problems/transaction-aborted",
      detail: "tried and tried",
    });
    expect(backend.arrivals).toHaveLength(LIMITS.attempts);
  });

  it.each([
    ["moves for ever", { flags: ANSWER_FLAG.staleMap, status: 503, body: "" }],
    ["is aborted", retryable(500, "transaction-aborted")],
    ["finds no room", retryable(503, "overloaded")],
  ])("is not said to have done nothing where it may have run, and then %s", async (_name, refusal) => {
    const { post, backend } = edge();
    // What ran is not known any more: its partition was lost with what it had not stored.
    backend.answer = () => (backend.arrivals.length > 1 ? refusal : { flags: ANSWER_FLAG.retryable });
    backend.leave = (answer, { index }) => {
      if (index === 0) throw lost();
      return answer;
    };
    const response = await settle(post(DEPOSIT, "{}"));
    expect(response.status).toBe(504);
    expect(await problemIn(response)).toMatchObject({ type: "/problems/deadline-exceeded", retryable: true });
  });

  it("because there is no room: not by the edge, which passes it on at once", async () => {
    const { post, backend } = edge();
    backend.answer = () => retryable(503, "overloaded");
    const response = await post(DEPOSIT, "{}");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await problemIn(response)).toEqual(problemOf("overloaded"));
    expect(backend.arrivals).toHaveLength(1);
  });

  it("because there is no room, where it may have run: until what became of it is told", async () => {
    const { post, backend } = edge();
    backend.answer = () => (backend.arrivals.length === 2 ? retryable(503, "overloaded") : undefined);
    backend.arrive = ({ index }) => {
      if (index === 0) throw lost();
    };
    const response = await settle(post(DEPOSIT, "{}"));
    expect(response.status).toBe(200);
    expect(backend.arrivals).toHaveLength(3);
  });

  it.each([
    ["nobody said where to send it before", "POST", (backend: FakeBackend) => losing(backend, "map")],
    ["it only reads", "GET", (backend: FakeBackend) => losing(backend, "arrival")],
    ["it only reads, by POST", "POST to a query", (backend: FakeBackend) => losing(backend, "arrival")],
  ])("because there is no room: that is passed on where %s", async (_name, method, lose) => {
    const { post, ask, backend } = edge();
    lose(backend);
    const body = JSON.stringify({ ...problemOf("overloaded"), limit: 7 });
    backend.answer = () => ({ status: 503, flags: ANSWER_FLAG.retryable, body, epoch: "1.7" });
    const balance = "/v1/services/account/alice/balance";
    const asked = method === "GET" ? ask(balance) : post(method === "POST" ? DEPOSIT : balance, "");
    const response = await settle(asked);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(response.headers.get("tidegate-epoch")).toBe("1.7");
    expect(await response.text()).toBe(body);
  });

  it("is not taken for lost when only the answer to where it is now was", async () => {
    const { post, backend } = edge();
    backend.answer = () => retryable(500, "transaction-aborted");
    const { map } = backend;
    backend.keyGroupMap = () => (backend.arrivals.length === 0 ? Promise.resolve(map) : Promise.reject(lost()));
    const response = await settle(post(DEPOSIT, "{}"));
    expect((await problemIn(response)).detail).toContain("nothing was done");
    expect(backend.arrivals).toHaveLength(1);
  });

  it("may run when it was told too late where it is: that is not said to have done nothing", async () => {
    const { post, backend } = edge();
    const { map } = backend;
    backend.keyGroupMap = async () => {
      await new Promise((resolve) => setTimeout(resolve, LIMITS.requestDeadlineMs + 500));
      return map;
    };
    const response = await settle(post(DEPOSIT, "{}"));
    expect(response.status).toBe(504);
    expect((await problemIn(response)).detail).toContain("may have been executed");
  });

  it("is said to have done nothing when nobody ever said where to send it", async () => {
    const { post, backend } = edge();
    backend.keyGroupMap = () => Promise.reject(lost());
    const response = await settle(post(DEPOSIT, "{}"));
    expect(response.status).toBe(504);
    expect((await problemIn(response)).detail).toContain("nothing was done");
  });
});

/** Loses the first of them. */
function losing(backend: FakeBackend, what: "map" | "arrival"): void {
  let isLost = false;
  const lose = (): void => {
    if (isLost) return;
    isLost = true;
    throw lost();
  };
  if (what === "arrival") backend.arrive = lose;
  else backend.keyGroupMap = async () => (lose(), backend.map);
}
