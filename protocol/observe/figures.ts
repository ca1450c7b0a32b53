/** Everything that one object tells of itself for `/metrics`, as plain data that an RPC carries. */
import type { CoordinatorStatus } from "../coordinator/status.ts";
import type { PartitionStatus } from "../partition/setup.ts";
import type { EpochFigures } from "./epoch-figures.ts";
import type { ObserverFigures } from "./observer.ts";

/** What an object has used, as its bill counts it, in all its instances of this isolate. */
export interface UsedFigures {
  readonly starts: number;
  readonly requests: number;
  readonly bytes: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly busyMs: number;
  readonly alarms: number;
}

export interface PartitionFigures {
  readonly status: PartitionStatus;
  readonly observed: ObserverFigures;
  readonly used: UsedFigures;
  /** Records that this instance has written, and their bytes. */
  readonly records: { readonly count: number; readonly bytes: number };
  readonly databaseBytes: number;
  /** When its alarm rings; ms since 1970, null for never. */
  readonly alarmAt: number | null;
}

export interface CoordinatorFigures {
  readonly status: CoordinatorStatus;
  /** Null while it recovers. */
  readonly epochs: EpochFigures | null;
  readonly used: UsedFigures;
}
