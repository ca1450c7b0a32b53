/** One-way messages: how many wait, those that failed for good, and sagas. What the app's version does not have is left out. */
import { useState } from "preact/hooks";
import { type Api, isNotThere } from "../api.ts";
import { showClock, showNumber } from "../format.ts";
import type { Overview } from "../model.ts";
import { Json } from "../parts/json.tsx";
import { LetterActions, Pager } from "../parts/letters.tsx";
import { Empty, Failure, useLoaded } from "../parts/states.tsx";

export function MessagesView({ api, now }: { readonly api: Api; readonly now: Overview }) {
  return (
    <>
      <section>
        <h2>Waiting to be delivered</h2>
        <div class="wide">
          <table>
            <thead>
              <tr>
                <th>partition</th>
                <th class="number">now</th>
                <th class="number">at a later time</th>
                <th>alarm</th>
              </tr>
            </thead>
            <tbody>
              {now.partitions.map((partition, at) => (
                <tr key={at}>
                  <th scope="row">{at}</th>
                  <td class="number">{showNumber(partition?.status.outbox)}</td>
                  <td class="number" data-timers={at}>
                    {showNumber(partition?.status.timers)}
                  </td>
                  <td>{(partition?.alarmAt ?? null) === null ? "–" : showClock(partition?.alarmAt ?? 0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <section>
        <h2>Dead letters</h2>
        {now.app.services.map(({ name }) => (
          <DeadLetters key={name} api={api} service={name} />
        ))}
        {ofFlows(now.app).map((name) => (
          <DeadLetters key={name} api={api} service={name} isRare />
        ))}
      </section>
      <SagaSection api={api} />
    </>
  );
}

/** Where what flows could not process is listed: events that functions emitted, and what flows do by the clock. */
function ofFlows({ flows }: Overview["app"]): string[] {
  return flows.length === 0 ? [] : ["#stream", ...flows.map(({ name }) => `#flow:${name}`)];
}

interface DeadLettersProps {
  readonly api: Api;
  readonly service: string;
  /** That there are none is not worth a line. */
  readonly isRare?: boolean;
}

function DeadLetters({ api, service, isRare = false }: DeadLettersProps) {
  const [cursor, setCursor] = useState<string | null>(null);
  const { value, error, again } = useLoaded(() => api.deadLetters(service, cursor), [api, service, cursor]);
  if (isNotThere(error)) return null;
  if (error !== undefined) return <Failure error={error} />;
  if (value === undefined) return null;
  const { letters, next } = value;
  const isFirst = cursor === null;
  if (letters.length === 0 && isFirst) return isRare ? null : <p class="empty">{service}: none</p>;
  return (
    <>
      <h3>{service}</h3>
      {letters.map((letter) => (
        <div key={letter.id} class="letter">
          <Json value={letter} label={`Dead letter ${letter.id}`} />
          <LetterActions
            redrive={(key) => api.redrive(letter.id, key)}
            remove={(key) => api.deleteLetter(letter.id, key)}
            onDone={again}
          />
        </div>
      ))}
      {letters.length === 0 && <p class="empty">none behind these</p>}
      <Pager
        of={`dead letters of ${service}`}
        isFirst={isFirst}
        isLast={next === undefined}
        first={() => (isFirst ? again() : setCursor(null))}
        next={() => setCursor(next ?? null)}
      />
    </>
  );
}

function SagaSection({ api }: { readonly api: Api }) {
  const probe = useLoaded(() => api.saga("none", "none"), [api]);
  const [asked, setAsked] = useState<readonly [string, string] | null>(null);
  const found = useLoaded(() => (asked === null ? Promise.resolve(undefined) : api.saga(...asked)), [api, asked]);
  if (probe.error === undefined || isNotThere(probe.error)) return null;
  const ask = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setAsked([String(form.get("saga")), String(form.get("id"))]);
  };
  return (
    <section>
      <h2>Sagas</h2>
      <form class="call" onSubmit={ask}>
        <div class="field">
          <label for="saga">saga</label>
          <input id="saga" name="saga" required autocomplete="off" />
        </div>
        <div class="field">
          <label for="saga-id">id</label>
          <input id="saga-id" name="id" required autocomplete="off" />
        </div>
        <button type="submit">Show</button>
      </form>
      {asked !== null && found.error !== undefined && <Failure error={found.error} />}
      {found.value !== undefined && found.value !== null && <Json value={found.value} label="Saga" />}
      {asked === null && <Empty>A saga is found by its name and id.</Empty>}
    </section>
  );
}
