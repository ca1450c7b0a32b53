/** Figures in Prometheus' text format (0.0.4): each metric with its help and type once, then a line for each series. */
import type { HistogramFigures } from "../../protocol/observe/histogram.ts";

export type Labels = Readonly<Record<string, string | number>>;

interface Metric {
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly lines: string[];
}

/** Names begin with `tidegate_`, and units are Prometheus' base units. */
export class MetricsText {
  readonly #metrics = new Map<string, Metric>();

  counter(name: string, help: string, labels: Labels, value: number): void {
    this.#metric(name, help, "counter").lines.push(line(name, labels, value));
  }

  gauge(name: string, help: string, labels: Labels, value: number): void {
    this.#metric(name, help, "gauge").lines.push(line(name, labels, value));
  }

  /** @param unit what 1 of the figures is, in the base unit */
  histogram(name: string, help: string, labels: Labels, { counts, sum }: HistogramFigures, unit = 1): void {
    const { lines } = this.#metric(name, help, "histogram");
    let cumulative = 0;
    for (const [at, count] of counts.entries()) {
      cumulative += count;
      const le = at === counts.length - 1 ? "+Inf" : 2 ** at * unit;
      lines.push(line(`${name}_bucket`, { ...labels, le }, cumulative));
    }
    lines.push(line(`${name}_sum`, labels, sum * unit), line(`${name}_count`, labels, cumulative));
  }

  #metric(name: string, help: string, type: Metric["type"]): Metric {
    const known = this.#metrics.get(name);
    if (known !== undefined) return known;
    const made = { help, type, lines: [] };
    this.#metrics.set(name, made);
    return made;
  }

  toString(): string {
    let text = "";
    for (const [name, { help, type, lines }] of this.#metrics) {
      text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("\n")}\n`;
    }
    return text;
  }
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(String(text))}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
