/** The services with their functions, and a form for each. */
import { useState } from "preact/hooks";
import type { Api, Called } from "../api.ts";
import { showMs } from "../format.ts";
import type { OpenApi, Overview, Schema, Service } from "../model.ts";
import { Field, initialOf } from "../parts/form.tsx";
import { Graph } from "../parts/graph.tsx";
import { Json } from "../parts/json.tsx";
import { Empty, Failure, useLoaded } from "../parts/states.tsx";
import { linkTo } from "../routes.ts";

interface Props {
  readonly api: Api;
  readonly app: Overview["app"];
  readonly openApi: OpenApi;
}

export function ServicesView({ api, app, openApi, route }: Props & { readonly route: readonly string[] }) {
  const [, serviceName, functionName] = route;
  const service = app.services.find(({ name }) => name === serviceName);
  if (service === undefined) return <AllServices api={api} app={app} />;
  return (
    <>
      <p>
        <a href={linkTo("services")}>all services</a>
      </p>
      <h2>{service.name}</h2>
      <Functions service={service} chosen={functionName} />
      {functionName === undefined ? (
        <Empty>Choose a function to call it.</Empty>
      ) : (
        <CallForm
          key={`${service.name}.${functionName}`}
          api={api}
          openApi={openApi}
          service={service.name}
          name={functionName}
        />
      )}
    </>
  );
}

function AllServices({ api, app }: Pick<Props, "api" | "app">) {
  const { value: seen } = useLoaded(() => api.transactions({ limit: "500" }), [api]);
  return (
    <>
      <Graph app={app} seen={seen?.transactions ?? []} />
      <p class="empty">
        Arrows between services are calls that were seen in traced transactions, such as those of the forms here.
      </p>
      {app.services.map((service) => (
        <section key={service.name}>
          <h2>
            <a href={linkTo("services", service.name)}>{service.name}</a>
          </h2>
          <Functions service={service} chosen={undefined} />
        </section>
      ))}
    </>
  );
}

function Functions({ service, chosen }: { readonly service: Service; readonly chosen: string | undefined }) {
  return (
    <ul class="chips">
      {service.functions.map(({ name, kind }) => (
        <li key={name}>
          <a
            href={linkTo("services", service.name, name)}
            class={kind}
            aria-current={name === chosen ? "true" : undefined}
          >
            {name}
            <small> {kind === "query" ? "reads" : "writes"}</small>
          </a>
        </li>
      ))}
      <li>
        <a href={linkTo("state", service.name)}>state</a>
      </li>
    </ul>
  );
}

function inputSchemaOf({ paths }: OpenApi, service: string, name: string): Schema | undefined {
  return paths[`/v1/services/${service}/{key}/${name}`]?.post?.requestBody?.content["application/json"]?.schema;
}

interface FormProps {
  readonly api: Api;
  readonly openApi: OpenApi;
  readonly service: string;
  readonly name: string;
}

function CallForm({ api, openApi, service, name }: FormProps) {
  const { schemas } = openApi.components;
  const schema = inputSchemaOf(openApi, service, name);
  const [key, setKey] = useState("");
  const [idempotencyKey, setIdempotencyKey] = useState("");
  const [input, setInput] = useState(() => (schema === undefined ? undefined : initialOf(schema, schemas)));
  const { called, error, isBusy, run } = useCall(() => api.call(service, key, name, input, idempotencyKey));
  return (
    <form class="call" onSubmit={run} aria-label={`Call ${service}.${name}`}>
      <div class="field">
        <label for="key">key</label>
        <input
          id="key"
          value={key}
          required
          onInput={(event) => setKey(event.currentTarget.value)}
          autocomplete="off"
        />
      </div>
      {schema !== undefined && (
        <Field
          id="input"
          name=""
          schema={schema}
          schemas={schemas}
          value={input}
          isRequired={true}
          onChange={setInput}
        />
      )}
      <div class="field">
        <label for="idempotency">
          Idempotency-Key <small>optional</small>
        </label>
        <input
          id="idempotency"
          value={idempotencyKey}
          onInput={(event) => setIdempotencyKey(event.currentTarget.value)}
          autocomplete="off"
        />
      </div>
      <button type="submit" disabled={isBusy}>
        Call {service}.{name}
      </button>
      {error !== undefined && <Failure error={error} />}
      {called !== undefined && <Result called={called} service={service} />}
    </form>
  );
}

/** One call at a time, with what came of the last. */
function useCall(call: () => Promise<Called>) {
  const [called, setCalled] = useState<Called>();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const run = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    void call()
      .then(setCalled, setError)
      .finally(() => setBusy(false));
  };
  return { called, error, isBusy, run };
}

function Result({ called, service }: { readonly called: Called; readonly service: string }) {
  const kind = called.status >= 500 ? "bad" : called.status >= 400 ? "odd" : "good";
  return (
    <div class={`result ${kind}`} role="status">
      <p>
        <strong data-status>{called.status}</strong> in {showMs(Math.round(called.ms))}
        {called.replayed && ", answered from what is recorded"}
        {" · "}
        <a href={linkTo("transactions", called.traceId)}>follow this transaction</a>
        {" · "}
        <a href={linkTo("state", service, called.key)}>state of this key</a>
      </p>
      <Json value={called.body} label="Answer" />
    </div>
  );
}
