/** What `npm run bench -- transfers` can be told. */
export interface TransferOptions {
  readonly runs: number;
  readonly seconds: number;
  readonly keys: number;
  readonly atOnce: number;
  readonly partitions: number;
  /** The one group of rows to run. */
  readonly only?: string;
  /** Print where the CPU goes, instead of figures. */
  readonly profile: boolean;
}
