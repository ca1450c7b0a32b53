/** One request from layer to layer, each beside the hand-written Worker and object in the same process: what a layer adds, alone and under load. */
import type { HttpRequest } from "../lib/http-connection.ts";
import { pick, report, type Row, rowOf } from "../lib/report.ts";
import { counted } from "../lib/turns.ts";
import { accountName, uniform } from "../transfers/accounts.ts";
import type { TransferOptions } from "../transfers/options.ts";
import { bareRequest, callRequest, transferRequest } from "../transfers/requests.ts";
import { drive, type SingleFigures } from "../transfers/single-run.ts";
import { APP_PORT, BARE_PORT, onStage, type Stage } from "../transfers/stage.ts";

const CONCURRENCY = 32;
const ACCOUNTS = 10_000;

interface Layer {
  readonly what: string;
  readonly port: number;
  readonly status: number;
  request(draw: () => number): HttpRequest;
}

/** From the outside in. */
const LAYERS: readonly Layer[] = [
  {
    what: "hand-written Worker, an answer of its own",
    port: BARE_PORT,
    status: 404,
    request: (draw) => ({ ...bareRequest(draw(), "nothing"), path: `/accounts/${accountName(draw())}/unknown` }),
  },
  {
    what: "edge: routes, door, a function that is not there",
    port: APP_PORT,
    status: 404,
    request: (draw) => callRequest(draw(), "unknown", "{}"),
  },
  {
    what: "hand-written object, nothing done",
    port: BARE_PORT,
    status: 200,
    request: (draw) => bareRequest(draw(), "nothing"),
  },
  {
    what: "query of one key, locks and a function but no write",
    port: APP_PORT,
    status: 200,
    request: (draw) => callRequest(draw(), "statement", ""),
  },
  {
    what: "hand-written object, one row written",
    port: BARE_PORT,
    status: 200,
    request: (draw) => bareRequest(draw(), "deposit"),
  },
  {
    what: "function of one key that writes, with an Idempotency-Key",
    port: APP_PORT,
    status: 200,
    request: (draw) => callRequest(draw(), "deposit", '{"amount":1}', true),
  },
  {
    what: "transfer, nearly always over two partitions",
    port: APP_PORT,
    status: 200,
    request: (draw) => transferRequest(draw(), draw(), 1),
  },
];

/** A transfer of an account to itself is refused: now and then two draws are equal. */
const SAME_ACCOUNT = 409;

function layerRun(stage: Stage, { what, port, status, request }: Layer, connections: number): Promise<SingleFigures> {
  const draw = stage.skew.draw(stage.random);
  return drive(stage, port, connections, () => ({
    request: request(draw),
    take: (answer) => {
      if (answer.status === status || (port === APP_PORT && answer.status === SAME_ACCOUNT)) return;
      throw new Error(`${what}: answered ${answer.status}: ${answer.body.toString()}`);
    },
  }));
}

function inTurns(options: TransferOptions, connections: number): Promise<SingleFigures[][]> {
  return onStage(
    options,
    uniform(ACCOUNTS),
    (stage) =>
      counted(options.runs, async () => {
        const figures: SingleFigures[] = [];
        for (const layer of LAYERS) figures.push(await layerRun(stage, layer, connections));
        return figures;
      }),
    undefined,
    false,
  );
}

export async function benchLayers(options: TransferOptions): Promise<void> {
  const rows: Row[] = [];
  for (const connections of [1, CONCURRENCY]) {
    const turns = await inTurns(options, connections);
    for (const [at, { what }] of LAYERS.entries()) {
      const runs = turns.map((turn) => turn[at] as SingleFigures);
      if (connections === 1) rows.push(rowOf(`alone: ${what}`, "ms", pick(runs, "p50")));
      else rows.push(rowOf(`at ${connections}: ${what}`, "ms of CPU", pick(runs, "cpuMs")));
    }
  }
  const { runs, seconds, partitions } = options;
  await report("layers", rows, { partitions, runs, seconds, accounts: ACCOUNTS, auth: "on", validation: "on" });
}
