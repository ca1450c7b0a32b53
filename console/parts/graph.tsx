/** Services, streams, flows and views as boxes, with the calls that were seen between services, and the ways of events. */
import type { Flow, Overview, Transaction } from "../model.ts";
import { linkTo } from "../routes.ts";

const BOX = { width: 150, height: 44, across: 210, down: 76 };
const PER_ROW = 4;

interface Box {
  readonly id: string;
  readonly kind: "service" | "stream" | "flow" | "view";
  readonly name: string;
  readonly note: string;
  readonly href: string;
  readonly x: number;
  readonly y: number;
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly times: number;
}

export function Graph({ app, seen }: { readonly app: Overview["app"]; readonly seen: readonly Transaction[] }) {
  const boxes = boxesOf(app);
  const at = new Map(boxes.map((box) => [box.id, box]));
  const edges = [...flowEdges(app), ...callEdges(seen)].filter(({ from, to }) => at.has(from) && at.has(to));
  const width = Math.max(...boxes.map(({ x }) => x)) + BOX.width + 10;
  const height = Math.max(...boxes.map(({ y }) => y)) + BOX.height + 24;
  return (
    <div class="wide">
      <svg
        class="graph"
        viewBox={`0 0 ${width} ${height}`}
        style={{ width: `${width}px` }}
        role="img"
        aria-label="Services and flows"
      >
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto-start-reverse"
          >
            <path d="M0,0 L8,4 L0,8 z" />
          </marker>
        </defs>
        {edges.map((edge) => (
          <Way
            key={`${edge.from}>${edge.to}`}
            edge={edge}
            from={at.get(edge.from) as Box}
            to={at.get(edge.to) as Box}
          />
        ))}
        {boxes.map((box) => (
          <a key={box.id} href={box.href}>
            <rect x={box.x} y={box.y} width={BOX.width} height={BOX.height} rx="7" class={box.kind} />
            <text x={box.x + 10} y={box.y + 19}>
              {box.name}
            </text>
            <text x={box.x + 10} y={box.y + 34} class="note">
              {box.note}
            </text>
          </a>
        ))}
      </svg>
    </div>
  );
}

function boxesOf(app: Overview["app"]): readonly Box[] {
  const services = app.services.map((service, index): Box => ({
    id: `service ${service.name}`,
    kind: "service",
    name: service.name,
    note: `${service.functions.length} functions${service.version > 1 ? `, version ${service.version}` : ""}`,
    href: linkTo("services", service.name),
    x: 5 + (index % PER_ROW) * BOX.across,
    y: 5 + Math.floor(index / PER_ROW) * BOX.down,
  }));
  const below = 5 + Math.ceil(app.services.length / PER_ROW) * BOX.down + (app.services.length > 0 ? 12 : 0);
  const column = (kind: "stream" | "flow" | "view", names: readonly string[], place: number): Box[] =>
    names.map((name, index) => ({
      id: `${kind} ${name}`,
      kind,
      name,
      note: kind,
      href: linkTo("streams"),
      x: 5 + place * BOX.across,
      y: below + index * BOX.down,
    }));
  return [
    ...services,
    ...column("stream", app.streams, 0),
    ...column(
      "flow",
      app.flows.map(({ name }) => name),
      1,
    ),
    ...column("view", [...new Set(app.flows.flatMap(viewsOf))], 2),
  ];
}

export function viewsOf({ writes }: Flow): string[] {
  return writes.flatMap(({ kind, name }) => (kind === "view" ? [name] : []));
}

function flowEdges(app: Overview["app"]): Edge[] {
  return app.flows.flatMap(({ name, reads, writes }) => [
    ...reads.map((stream) => ({ from: `stream ${stream}`, to: `flow ${name}`, times: 0 })),
    ...writes.map((written) => ({ from: `flow ${name}`, to: `${written.kind} ${written.name}`, times: 0 })),
  ]);
}

/** From traces, which say what called what. */
function callEdges(seen: readonly Transaction[]): Edge[] {
  const times = new Map<string, Edge>();
  for (const { service, trace } of seen) {
    for (const call of trace?.calls ?? []) {
      const from = call.parent === null ? service : (trace?.calls[call.parent]?.service ?? service);
      if (from === call.service) continue;
      const id = `${from}>${call.service}`;
      times.set(id, { from: `service ${from}`, to: `service ${call.service}`, times: (times.get(id)?.times ?? 0) + 1 });
    }
  }
  return [...times.values()];
}

function Way({ edge, from, to }: { readonly edge: Edge; readonly from: Box; readonly to: Box }) {
  const isSameRow = from.y === to.y;
  const isForward = to.x > from.x;
  const start = isSameRow
    ? { x: from.x + (isForward ? BOX.width : 0), y: from.y + BOX.height / 2 }
    : { x: from.x + BOX.width / 2, y: to.y > from.y ? from.y + BOX.height : from.y };
  const end = isSameRow
    ? { x: to.x + (isForward ? 0 : BOX.width), y: to.y + BOX.height / 2 }
    : { x: to.x + BOX.width / 2, y: to.y > from.y ? to.y : to.y + BOX.height };
  const isNear = isSameRow && Math.abs(to.x - from.x) === BOX.across;
  const bend = isNear ? 0 : 34;
  const path = isNear
    ? `M${start.x},${start.y} L${end.x},${end.y}`
    : isSameRow
      ? `M${from.x + BOX.width / 2},${from.y + BOX.height} C${from.x + BOX.width / 2},${from.y + BOX.height + bend} ${to.x + BOX.width / 2},${to.y + BOX.height + bend} ${to.x + BOX.width / 2},${to.y + BOX.height}`
      : `M${start.x},${start.y} C${start.x},${(start.y + end.y) / 2} ${end.x},${(start.y + end.y) / 2} ${end.x},${end.y}`;
  return (
    <path d={path} class="way" marker-end="url(#arrow)">
      {edge.times > 0 && (
        <title>
          {edge.from} calls {edge.to}: seen {edge.times} times
        </title>
      )}
    </path>
  );
}
