/** What is stored: a service's keys, and the value and entries of one, with its last transactions. */
import { useState } from "preact/hooks";
import type { Api } from "../api.ts";
import type { Overview, State } from "../model.ts";
import { Json } from "../parts/json.tsx";
import { Empty, Failure, useLoaded } from "../parts/states.tsx";
import { Transactions } from "../parts/transactions.tsx";
import { linkTo } from "../routes.ts";

export function StateView({
  api,
  app,
  route,
}: {
  readonly api: Api;
  readonly app: Overview["app"];
  readonly route: readonly string[];
}) {
  const [, chosen, key] = route;
  const service = chosen ?? app.services[0]?.name;
  if (service === undefined) return <Empty>The app has no services.</Empty>;
  return (
    <>
      <ul class="chips" aria-label="Services">
        {app.services.map(({ name }) => (
          <li key={name}>
            <a href={linkTo("state", name)} aria-current={name === service ? "true" : undefined}>
              {name}
            </a>
          </li>
        ))}
      </ul>
      <div class="columns">
        <Keys key={service} api={api} service={service} chosen={key} />
        {key === undefined ? (
          <Empty>Choose a key, or write one.</Empty>
        ) : (
          <OneKey key={`${service} ${key}`} api={api} service={service} of={key} />
        )}
      </div>
    </>
  );
}

function Keys({
  api,
  service,
  chosen,
}: {
  readonly api: Api;
  readonly service: string;
  readonly chosen: string | undefined;
}) {
  const [pages, setPages] = useState<readonly (string | null)[]>([null]);
  const after = pages.at(-1) ?? null;
  const { value, error } = useLoaded(() => api.keys(service, after), [api, service, after]);
  const open = (event: SubmitEvent): void => {
    event.preventDefault();
    const key = String(new FormData(event.currentTarget as HTMLFormElement).get("key"));
    if (key !== "") location.hash = linkTo("state", service, key);
  };
  return (
    <nav class="keys" aria-label={`Keys of ${service}`}>
      <form onSubmit={open} class="field">
        <label for="find">key of {service}</label>
        <input id="find" name="key" autocomplete="off" />
      </form>
      {error !== undefined && <Failure error={error} />}
      {value?.keys.length === 0 && <Empty>There are no keys {after === null ? "yet" : "behind that"}.</Empty>}
      <ul>
        {value?.keys.map((key) => (
          <li key={key}>
            <a href={linkTo("state", service, key)} aria-current={key === chosen ? "true" : undefined}>
              {key}
            </a>
          </li>
        ))}
      </ul>
      <p>
        {pages.length > 1 && (
          <button type="button" class="quiet" onClick={() => setPages(pages.slice(0, -1))}>
            before
          </button>
        )}
        {value?.next !== undefined && (
          <button type="button" class="quiet" onClick={() => setPages([...pages, value.next ?? null])}>
            more
          </button>
        )}
      </p>
    </nav>
  );
}

function OneKey({ api, service, of }: { readonly api: Api; readonly service: string; readonly of: string }) {
  const [after, setAfter] = useState<string | null>(null);
  const state = useLoaded(() => api.state(service, of, after), [api, service, of, after]);
  const recent = useLoaded(() => api.transactions({ service, key: of }), [api, service, of]);
  const again = (): void => {
    state.again();
    recent.again();
  };
  return (
    <article>
      <h2>
        {service} “{of}”
      </h2>
      <p>
        <button type="button" class="quiet" onClick={again}>
          look again
        </button>
        {state.value !== undefined && <small> on partition {state.value.partition}</small>}
      </p>
      {state.error !== undefined && <Failure error={state.error} />}
      {state.value !== undefined && <Stored state={state.value} isFirst={after === null} onMore={setAfter} />}
      <h3>Last transactions</h3>
      {recent.error !== undefined && <Failure error={recent.error} />}
      {recent.value !== undefined && <Transactions of={recent.value} />}
    </article>
  );
}

function Stored({
  state,
  isFirst,
  onMore,
}: {
  readonly state: State;
  readonly isFirst: boolean;
  onMore(after: string): void;
}) {
  const isEmpty = state.value === undefined && state.entries.length === 0 && state.next === undefined;
  if (isEmpty && isFirst) return <Empty>Nothing is stored under this key: its state is the initial one.</Empty>;
  // They are gone since the page before.
  if (isEmpty) return <Empty>There are no entries behind that.</Empty>;
  return (
    <>
      {isFirst && state.value !== undefined && (
        <>
          <h3>Value{(state.version ?? 1) > 1 && <small> of version {state.version}</small>}</h3>
          <Json value={state.value} label="Value" />
        </>
      )}
      {state.entries.length > 0 && (
        <>
          <h3>Entries</h3>
          <div class="wide">
            <table>
              <tbody>
                {state.entries.map(({ collection, entry, value }) => (
                  <tr key={`${collection} ${JSON.stringify(entry)}`}>
                    <th scope="row">
                      {collection} {JSON.stringify(entry)}
                    </th>
                    <td>
                      <code>{JSON.stringify(value)}</code>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
      {state.next !== undefined && (
        <button type="button" class="quiet" onClick={() => onMore(state.next ?? "")}>
          more entries
        </button>
      )}
    </>
  );
}
