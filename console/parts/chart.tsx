/** A figure with its last minutes as a line. */

const WIDTH = 240;
const HEIGHT = 48;

export function Figure({
  name,
  value,
  series,
}: {
  readonly name: string;
  readonly value: string;
  readonly series: readonly (number | null)[];
}) {
  return (
    <figure class="figure">
      <figcaption>{name}</figcaption>
      <strong data-figure={name}>{value}</strong>
      <Line series={series} />
    </figure>
  );
}

/** Decoration: what it shows is said in figures beside it. */
function Line({ series }: { readonly series: readonly (number | null)[] }) {
  const top = Math.max(1, ...series.map((value) => value ?? 0));
  const step = WIDTH / Math.max(1, series.length - 1);
  const points = series.map(
    (value, at) => `${(at * step).toFixed(1)},${(HEIGHT - ((value ?? 0) / top) * (HEIGHT - 4) - 2).toFixed(1)}`,
  );
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {points.length > 1 && (
        <>
          <polygon points={`0,${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`} class="area" />
          <polyline points={points.join(" ")} class="line" />
        </>
      )}
    </svg>
  );
}
