/** Numbers and times as people read them. */

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
// As ISO 8601 writes it.
const day = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short" });

export function showNumber(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : number.format(value);
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function showBytes(bytes: number): string {
  const unit = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  return `${number.format(bytes / 1024 ** unit)} ${UNITS[unit]}`;
}

/** Latencies are known to a power of two. */
export function showLatency(ms: number | null): string {
  if (ms === null) return "–";
  return ms < 1_000 ? `≤ ${number.format(ms)} ms` : `≤ ${number.format(ms / 1_000)} s`;
}

export function showMs(ms: number): string {
  return ms < 1_000 ? `${number.format(ms)} ms` : `${number.format(ms / 1_000)} s`;
}

export function showClock(at: number): string {
  return `${clock.format(at)}.${String(Math.floor(at % 1_000)).padStart(3, "0")}`;
}

/** The day too; `–` for no time of a calendar. */
export function showTime(at: number): string {
  return Number.isNaN(new Date(at).getTime()) ? "–" : `${day.format(at)} ${showClock(at)}`;
}

/** An epoch is a generation and a count in it. */
export function showEpoch(epoch: number): string {
  return epoch === 0 ? "–" : `${Math.floor(epoch / 2 ** 32)}.${epoch % 2 ** 32}`;
}
