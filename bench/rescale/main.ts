/** What it takes to move half of all keys to as many new partitions and back, while eight clients go on, and how long nothing runs. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../../scripts/lib/bundle.ts";
import { serve } from "../../scripts/lib/local-server.ts";
import type { RescaleStatus } from "../../protocol/coordinator/rescaling.ts";
import { median, pick, report, type Row, rowOf } from "../lib/report.ts";

const TOKEN = "bench-token";
const CONFIG = join(import.meta.dirname, "../transfers/app.wrangler.jsonc");
const LINES = 1_000;
const CLIENTS = 8;
/** Roughly what a shop keeps of a customer: bytes of one value. */
const KEYS = [10_000, 100_000] as const;

interface Figures {
  readonly moveMs: number;
  readonly pauseMs: number;
  readonly mostMs: number;
  readonly medianMs: number;
}

class Bench {
  readonly #url: string;
  readonly #keys: number;

  constructor(url: string, keys: number) {
    this.#url = url;
    this.#keys = keys;
  }

  async #ask(path: string, body?: string, type = "application/json"): Promise<string> {
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": type };
    const response = await fetch(
      this.#url + path,
      body === undefined ? { headers } : { headers, method: "POST", body },
    );
    const text = await response.text();
    if (response.status >= 300) throw new Error(`${path} answered ${response.status} ${text}`);
    return text;
  }

  async fill(): Promise<void> {
    for (let from = 0; from < this.#keys; from += LINES) {
      const lines = Array.from({ length: LINES }, (_, n) =>
        JSON.stringify({ service: "account", key: `k${from + n}`, function: "deposit", input: { amount: 1 } }),
      );
      await this.#ask("/v1/batch", lines.join("\n"), "application/x-ndjson");
    }
  }

  async #status(): Promise<RescaleStatus> {
    return JSON.parse(await this.#ask("/admin/partitions")) as RescaleStatus;
  }

  /** Until so many partitions are there, with clients beside it. */
  async move(partitions: number): Promise<Figures> {
    const latencies: number[] = [];
    let over = false;
    const client = async (id: number): Promise<void> => {
      for (let n = id; !over; n += CLIENTS) {
        const sent = performance.now();
        await this.#ask(`/v1/services/account/k${(n * 7_919) % this.#keys}/deposit`, '{"amount":1}');
        latencies.push(performance.now() - sent);
      }
    };
    const clients = Array.from({ length: CLIENTS }, (_, id) => client(id));
    const began = performance.now();
    await this.#ask("/admin/partitions", JSON.stringify({ partitions }));
    let status = await this.#status();
    while (status.phase !== "still" || status.partitions !== partitions) {
      await new Promise((wake) => setTimeout(wake, 10));
      status = await this.#status();
    }
    const moveMs = performance.now() - began;
    over = true;
    await Promise.all(clients);
    return {
      moveMs,
      pauseMs: status.lastPauseMs ?? 0,
      mostMs: latencies.reduce((a, b) => Math.max(a, b), 0),
      medianMs: median(latencies),
    };
  }
}

async function rowsOf(keys: number, runs: number): Promise<Row[]> {
  const persist = await mkdtemp(join(tmpdir(), "tidegate-rescale-"));
  const server = await serve({ bundle: await bundle(CONFIG), port: 0, token: TOKEN, persist });
  try {
    const bench = new Bench(server.url, keys);
    await bench.fill();
    const partitions = (
      JSON.parse(
        await (await fetch(`${server.url}/admin/partitions`, { headers: { authorization: `Bearer ${TOKEN}` } })).text(),
      ) as RescaleStatus
    ).partitions;
    const grown: Figures[] = [];
    const shrunk: Figures[] = [];
    for (let run = 0; run < runs; run++) {
      grown.push(await bench.move(partitions * 2));
      shrunk.push(await bench.move(partitions));
    }
    return [["to twice as many", grown] as const, ["and back", shrunk] as const].flatMap(([way, figures]) => {
      return [
        rowOf(`${keys.toLocaleString("en")} keys, ${partitions} partitions ${way}`, "ms", pick(figures, "moveMs")),
        rowOf("  nothing runs for", "ms", pick(figures, "pauseMs")),
        rowOf("  a request beside it, median", "ms", pick(figures, "medianMs")),
        rowOf("  a request beside it, slowest", "ms", pick(figures, "mostMs")),
      ];
    });
  } finally {
    await server.stop();
    await rm(persist, { recursive: true, force: true });
  }
}

export async function benchRescale({ runs }: { runs: number }): Promise<void> {
  const rows: Row[] = [];
  for (const keys of KEYS) rows.push(...(await rowsOf(keys, runs)));
  await report("rescale", rows, { runs, clients: CLIENTS });
}
