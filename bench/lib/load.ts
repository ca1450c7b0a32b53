/** HTTP load from this process by autocannon: closed loop, a fixed number of connections. */
import autocannon from "autocannon";

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Path, headers and body of the nth request of this run. */
  request(n: number): {
    readonly path: string;
    readonly body: string;
    readonly headers?: Readonly<Record<string, string>>;
  };
}

export interface LoadResult {
  readonly perSecond: number;
  readonly requests: number;
  readonly p50: number;
  readonly p99: number;
  /** CPU of this driver as a share of one core: near 1 it would be the bottleneck. */
  readonly driverCpu: number;
}

/** @throws Error when any answer is not 2xx: such a run has no figure. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  let n = 0;
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  const began = performance.now();
  const run = autocannon({
    url: options.url,
    connections: options.connections,
    duration: options.seconds,
    requests: [
      {
        method: "POST",
        setupRequest: (request: object) => {
          const { path, body, headers } = options.request(n++);
          return { ...request, path, body, headers: { ...options.headers, ...headers } };
        },
      },
    ],
  });
  run.on("response", (_client: unknown, _status: number, _bytes: number, milliseconds: number) =>
    latencies.push(milliseconds),
  );
  const result = await run;
  const elapsed = performance.now() - began;
  const used = process.cpuUsage(cpu);
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${options.url}: ${result.non2xx} answers were not 2xx, ${result.errors} errors`);
  latencies.sort((a, b) => a - b);
  return {
    perSecond: (latencies.length / elapsed) * 1000,
    requests: latencies.length,
    p50: latencies[latencies.length >> 1] ?? 0,
    p99: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
    driverCpu: (used.user + used.system) / 1000 / elapsed,
  };
}
