/** A fresh workerd process with the app and the hand-written objects in it, and an empty ledger beside it. */
import { join } from "node:path";
import { type Bundle, bundle } from "../../scripts/lib/bundle.ts";
import { namedWasm } from "../lib/named-wasm.ts";
import { startWorkerd, type WorkerdProcess } from "../lib/workerd.ts";
import { partitionsOf, type Random, type Skew } from "./accounts.ts";
import { seeded } from "../kernels/bids.ts";
import { auditAll } from "./audit.ts";
import { Ledger } from "./ledger.ts";
import type { TransferOptions } from "./options.ts";
import { TOKEN } from "./requests.ts";

export const BARE_PORT = 8795;
export const APP_PORT = 8796;
export const INSPECTOR_PORT = 9796;
export const APP = "app";
const SEED = 20_26;

export interface Stage {
  readonly options: TransferOptions;
  readonly skew: Skew;
  readonly workerd: WorkerdProcess;
  readonly ledger: Ledger;
  /** The partition of each account. */
  readonly partitions: Uint16Array;
  readonly random: Random;
  /** What the app's Worker is made of. */
  readonly app: Bundle;
  /** Goes around the part of a run that is timed; a profile is taken here. */
  timed<T>(drive: () => Promise<T>): Promise<T>;
}

const TRANSFERS = join(import.meta.dirname, "app.wrangler.jsonc");
let bundles: Promise<readonly [Bundle, Bundle]> | undefined;

function bundleBoth(profile: boolean, config: string): Promise<readonly [Bundle, Bundle]> {
  const here = import.meta.dirname;
  const app = bundle(config);
  return Promise.all([
    bundle(join(here, "..", "local", "bare.wrangler.jsonc")),
    profile ? app.then(namedWasm) : app,
  ] as const);
}

/**
 * Each group of rows has a process of its own, so that none inherits the other's data.
 * @param config of the app that is played on, the same at every call of a process
 * @param isAudited whether all that was done is in the ledger, which is then compared
 */
export async function onStage<T>(
  options: TransferOptions,
  skew: Skew,
  play: (stage: Stage) => Promise<T>,
  config = TRANSFERS,
  isAudited = true,
): Promise<T> {
  const [bare, app] = await (bundles ??= bundleBoth(options.profile, config));
  const count = String(options.partitions);
  const workers = [
    { name: "bare", port: BARE_PORT, bundle: bare, classes: ["Bare"], vars: { OBJECTS: count } },
    {
      name: APP,
      port: APP_PORT,
      bundle: app,
      classes: ["Partition", "Coordinator"],
      vars: { PARTITIONS: count, TIDEGATE_TOKEN: TOKEN },
    },
  ];
  const workerd = await startWorkerd(workers, options.profile ? INSPECTOR_PORT : undefined);
  try {
    const partitions = partitionsOf(skew.accounts, options.partitions);
    const ledger = new Ledger(skew.accounts);
    const timed: Stage["timed"] = (drive) => drive();
    const played = await play({ options, skew, workerd, ledger, partitions, random: seeded(SEED), app, timed });
    if (isAudited) await auditAll(APP_PORT, ledger);
    return played;
  } finally {
    await workerd.stop();
  }
}
