/** Jobs at fixed times, each on a connection of its own: servers close connections that are idle for long, and latency is not measured here. */
import { type Drive, type Job, withConnections } from "../lib/drive.ts";
import type { HttpConnection } from "../lib/http-connection.ts";

export async function paced(
  port: number,
  perSecond: number,
  seconds: number,
  next: () => Job,
): Promise<Pick<Drive, "jobs" | "elapsedMs">> {
  const jobs = Math.max(1, Math.round(perSecond * seconds));
  const began = performance.now();
  const running: Promise<void>[] = [];
  for (let sent = 0; sent < jobs; sent++) {
    const wait = began + (sent * 1000) / perSecond - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    running.push(alone(port, next()));
  }
  await Promise.all(running);
  return { jobs, elapsedMs: Math.max(performance.now() - began, (jobs * 1000) / perSecond) };
}

function alone(port: number, job: Job): Promise<void> {
  return withConnections(port, 1, async ([connection]) =>
    job.take(await (connection as HttpConnection).post(job.request)),
  );
}
