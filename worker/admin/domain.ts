/** A domain's partitions as their administration asks them: answers read, and asked again when a partition has started over. */
import type { AdminAsk, AdminReply, ByMap } from "../../protocol/backup/asks.ts";
import { isUnstarted } from "../../protocol/unstarted.ts";
import type { Problem } from "../../sdk/problems.ts";
import type { AdminBackend, Backend, KeyGroupMap } from "../backend.ts";
import { LIMITS } from "../limits.ts";
import { ProblemError, refuse } from "../problems.ts";
import { backoff, sleep } from "../retries.ts";
import type { AdminEdge } from "./edge.ts";

export class Domain {
  readonly #backend: AdminBackend;
  readonly partitions: readonly number[];
  /** Version of the key-group map that says which partitions these are. */
  readonly version: number;

  constructor(backend: AdminBackend, { partitions, version }: Pick<KeyGroupMap, "partitions" | "version">) {
    this.#backend = backend;
    this.version = version;
    this.partitions = Array.from({ length: partitions }, (_, partition) => partition);
  }

  /** @throws ProblemError with what the partition refused it for, or the platform's error when it does not answer */
  async ask<T>(partition: number, ask: AdminAsk): Promise<T> {
    const answer = await this.#exchange(partition, ask);
    return JSON.parse((answer as AdminReply).body) as T;
  }

  /** The next table of a pinned partition; empty behind the last. */
  async table(partition: number, id: string, number: number): Promise<Uint8Array> {
    return (await this.#exchange(partition, { op: "table", id, number })) as Uint8Array;
  }

  askAll<T>(ask: AdminAsk): Promise<T[]> {
    return Promise.all(this.partitions.map((partition) => this.ask<T>(partition, ask)));
  }

  /** For what must be tried whatever came before. */
  async tryAll(ask: AdminAsk): Promise<void> {
    await Promise.allSettled(this.partitions.map((partition) => this.ask(partition, ask)));
  }

  /** Overwrites what a partition's database has left of deleted rows; false when that is too large. The partition starts over then. */
  scrub(partition: number): Promise<boolean> {
    return this.#again(() => this.#backend.partition(partition).scrub());
  }

  /** A 503 says that nothing was done: asked again while there are attempts left. */
  async #exchange(partition: number, ask: AdminAsk): Promise<AdminReply | Uint8Array> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#again(() => this.#backend.partition(partition).admin(ask));
      if (answer instanceof Uint8Array || answer.status === 200) return answer;
      const problem = JSON.parse(answer.body) as Problem;
      if (problem.type !== "/problems/overloaded" || attempt >= LIMITS.attempts) throw new ProblemError(problem);
      await sleep(backoff(attempt));
    }
  }

  /** An object that starts over, or is moved, answers the next call. */
  async #again<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        if (isTooManyCalls(error)) throw noMoreCalls();
        if (attempt >= LIMITS.attempts) throw isUnstarted(error) ? doesNotStart() : error;
        await sleep(backoff(attempt));
      }
    }
  }
}

/** Of what was asked, this partition has done nothing now; an attempt before it may have. */
function doesNotStart(): ProblemError {
  const detail = "a partition does not start; the log of the Worker has the cause";
  return refuse("overloaded", detail, { retryable: true });
}

/** The platform lets one request make no more calls: each further one would fail at once. */
function isTooManyCalls(error: unknown): boolean {
  return error instanceof Error && /too many subrequests/i.test(error.message);
}

function noMoreCalls(): ProblemError {
  const detail = "the platform lets one request make no more calls of partitions; what was done stays, send it again";
  return refuse("overloaded", detail, { retryable: true });
}

/**
 * What partitions answer by the map as it is now. While key groups move they answer by another one, and what was on its way between two of them
 * would be on neither: all are asked again then. Partitions of versions that do not name their map are taken to have this one.
 * @throws ProblemError `keys-moving` when it does not settle
 */
export async function askByMap<T extends readonly ByMap[]>(
  { admin, backend }: AdminEdge,
  ask: (domain: Domain, map: KeyGroupMap) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const map = await presentMap(backend);
    try {
      const answers = await ask(new Domain(admin, map), map);
      if (answers.every((answer) => (answer.map ?? map.version) === map.version)) return answers;
      if (attempt >= LIMITS.attempts) throw refuse("keys-moving", HAVE_MOVED, { retryable: true });
    } catch (error) {
      if (attempt >= LIMITS.attempts || !isElsewhere(error)) throw error;
    }
    await sleep(backoff(attempt));
  }
}

const HAVE_MOVED = "key groups have just moved to other partitions";

function isElsewhere(error: unknown): boolean {
  return error instanceof ProblemError && error.problem.type === "/problems/keys-moving";
}

/** The key-group map as it is now: an older one may lack partitions. */
export function presentMap(backend: Backend): Promise<KeyGroupMap> {
  backend.refreshMap();
  return backend.keyGroupMap();
}
