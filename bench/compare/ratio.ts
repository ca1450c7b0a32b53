/** The ratio of two figures that were taken in turns. */

/** Of one turn, for one transfer. */
export interface Turn {
  readonly cpuUs: number;
  readonly timeUs: number;
}

export interface Comparison {
  /** Geometric mean of what is left of the turns' ratios. */
  readonly ratio: number;
  /** Standard error of its logarithm. */
  readonly error: number;
}

/** So many of the greatest and of the least ratios are left out: turns in which the machine had something else to do. */
const TRIMMED = 0.15;
export const LEAST_TURNS = 8;

/**
 * Compares each turn with its neighbour of the other kind: trimmed mean, and its standard error by the winsorized variance (Tukey and McLaughlin 1963).
 * @throws RangeError where there are too few turns to tell
 * @example
 * ```ts
 * const figures = [90, 91, 89, 90, 92, 90, 88, 90];
 * compare(figures, figures.map((figure) => figure / 0.9)).ratio; // 0.9
 * ```
 */
export function compare(these: readonly number[], those: readonly number[]): Comparison {
  const count = these.length;
  if (count < LEAST_TURNS) throw new RangeError(`a comparison needs ${LEAST_TURNS} turns of each, not ${count}`);
  const logs = these.map((figure, turn) => Math.log(figure / (those[turn] as number))).sort((a, b) => a - b);
  const cut = Math.floor(count * TRIMMED);
  const [least, most] = [logs[cut] as number, logs[count - 1 - cut] as number];
  const winsorized = logs.map((log) => Math.min(Math.max(log, least), most));
  const mean = meanOf(logs.slice(cut, count - cut));
  const middle = meanOf(winsorized);
  const variance = winsorized.reduce((sum, log) => sum + (log - middle) ** 2, 0) / (count - 1);
  return { ratio: Math.exp(mean), error: Math.sqrt(variance / count) / (1 - 2 * TRIMMED) };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
