/** Streams, flows and their views, with how far their watermarks are, and what flows have set aside. */
import type { Api } from "../api.ts";
import { showNumber, showTime } from "../format.ts";
import type { Overview } from "../model.ts";
import { Json } from "../parts/json.tsx";
import { viewsOf } from "../parts/graph.tsx";
import { Empty, Failure, useLoaded, usePolled } from "../parts/states.tsx";
import { SetAside } from "./set-aside.tsx";

export function StreamsView({ api, app }: { readonly api: Api; readonly app: Overview["app"] }) {
  if (app.flows.length === 0) return <Empty>The app has no flows.</Empty>;
  return (
    <>
      {app.flows.map((flow) => (
        <section key={flow.name}>
          <h2>{flow.name}</h2>
          <p>
            reads <strong>{flow.reads.join(", ")}</strong>, writes{" "}
            <strong>{flow.writes.map(({ kind, name }) => `${kind} ${name}`).join(", ")}</strong>
          </p>
          <Operators api={api} flow={flow.name} />
          {viewsOf(flow).map((view) => (
            <ViewRows key={view} api={api} view={view} />
          ))}
          <SetAside api={api} flow={flow.name} />
        </section>
      ))}
    </>
  );
}

function Operators({ api, flow }: { readonly api: Api; readonly flow: string }) {
  const { value, error } = useLoaded(() => api.flow(flow), [api, flow]);
  if (error !== undefined) return <Failure error={error} />;
  if (value === undefined) return null;
  const { explain, status } = value;
  return (
    <details>
      <summary>operators</summary>
      {typeof explain === "string" ? <pre class="json">{explain}</pre> : <Json value={explain} label="Operators" />}
      {status !== null && status !== undefined && <Json value={status} label="How far they are" />}
    </details>
  );
}

function ViewRows({ api, view }: { readonly api: Api; readonly view: string }) {
  const { value, error } = usePolled(() => api.view(view), [api, view]);
  const watermark = Number(value?.watermark ?? Number.NaN);
  const facts: readonly (readonly [string, string])[] = [
    ["events", showNumber(value?.events)],
    ["late", showNumber(value?.late)],
    ["batches", showNumber(value?.batches)],
    ["watermark", Number.isFinite(watermark) && watermark > 0 ? showTime(watermark) : "–"],
  ];
  const columns = Object.keys(value?.rows[0] ?? {});
  return (
    <>
      <h3>{view}</h3>
      {error !== undefined && <Failure error={error} />}
      <dl class="counts">
        {facts.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd data-fact={name}>{text}</dd>
          </div>
        ))}
      </dl>
      {value?.rows.length === 0 && <Empty>The view has no rows yet.</Empty>}
      {columns.length > 0 && (
        <div class="wide">
          <table>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column}>{column}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {value?.rows.map((row, at) => (
                <tr key={at}>
                  {columns.map((column) => (
                    <td key={column}>{cell(row[column])}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function cell(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}
