/** What a flow keeps of itself, beside what its shares keep. */

/** What is known of a source. */
export interface KnownSource {
  /** How far its events say that time has come. */
  readonly reached: number | null;
  /** While a batch comes in parts: how far those of it say that. */
  readonly pending?: number | null;
  /** Server time of the last. */
  readonly at: number;
  /** Its stream, and by which time it is read, where the code that wrote it knew that. */
  readonly stream?: string;
  readonly time?: string;
  readonly outOfOrderness?: number;
}

/** The value under a flow's own key. */
export interface FlowState {
  /** Vertices by name, with what their shares are called. */
  vertices: Record<string, string>;
  /** By source. */
  sources: Record<string, KnownSource>;
  /** By vertex: the watermark that it has been told. */
  marks: Record<string, number | null>;
  /** By vertex: for each share, the watermark at which it has something to do; null for never. */
  next: Record<string, Array<number | null>>;
  /** Vertices whose results are read as events, so that what ends their windows is there. */
  read?: string[];
  /** Vertices whose windows a view shows and that end without events, too. */
  woken?: string[];
  /** Ends in the outside world. */
  ends?: string[];
  /** It is known elsewhere that this is its place. */
  placed?: boolean;
  /** Other streams at which its key has been told the place. */
  streams?: string[];
  /** What operators kept before the window kernel took over, by ids of vertices with their numbers of shares: it is cleared when operators go on. */
  left?: Array<[id: string, shards: number]>;
  /** And the ends in the outside world that it had then. */
  leftEnds?: string[];
  /** Server time of its first batch. */
  begun: number | null;
  /** Of sources that may idle and have had no event yet, by name and stream: server time of the first batch of a version that reads them. */
  since?: Record<string, number>;
  /** Server time at which it goes on even if no event comes; null for never. */
  tick: number | null;
  /** While its time is behind what its events say: server time of the last step, and how long the next one may be in ms; null for as long as it can be. */
  behind?: { readonly since: number; readonly stride: number | null };
  events: number;
  batches: number;
  late: number;
  dead: number;
  /** While a batch comes in parts: late events of those so far. */
  partLate?: number;
}

export function freshState(): FlowState {
  return {
    vertices: {},
    sources: {},
    marks: {},
    next: {},
    begun: null,
    tick: null,
    events: 0,
    batches: 0,
    late: 0,
    dead: 0,
  };
}

/** The key of a share: it decides where that is. */
export function shardKey(flow: string, id: string, shard: number): string {
  return `${flow}/${id}/${shard}`;
}
