/** What a flow has set aside: events that an end did not take, to be given to it again or deleted, and events that came too late. */
import { useEffect, useRef, useState } from "preact/hooks";
import { type Api, isNotThere, RequestError } from "../api.ts";
import { showTime } from "../format.ts";
import type { AsidePage, FlowLetter } from "../model.ts";
import { Json } from "../parts/json.tsx";
import { LetterActions, Pager } from "../parts/letters.tsx";
import { Failure, useLoaded } from "../parts/states.tsx";

/** Events that are shown at a time, and that are asked for at a time when all are sent again. */
const SHOWN = 20;
const SENT_OF_A_PAGE = 100;

export function SetAside({ api, flow }: { readonly api: Api; readonly flow: string }) {
  return (
    <>
      <DeadLetters api={api} flow={flow} />
      <LateEvents api={api} flow={flow} />
    </>
  );
}

interface Numbered {
  readonly id: number;
}
interface Pages<E extends Numbered> {
  readonly page: AsidePage<E> | undefined;
  readonly error: unknown;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  next(): void;
  first(): void;
  again(): void;
}

/** Pages, oldest event first. Numbers in between may be gone, so where the last page ends says the number behind all. */
function usePages<E extends Numbered>(
  load: (after: number) => Promise<AsidePage<E>>,
  of: readonly unknown[],
): Pages<E> {
  const [after, setAfter] = useState(-1);
  const { value: page, error, again } = useLoaded(() => load(after), [...of, after]);
  const last = page?.events.at(-1)?.id ?? Infinity;
  return {
    page,
    error,
    isFirst: after === -1,
    isLast: page === undefined || last >= page.end - 1,
    next: () => setAfter(last),
    first: () => (after === -1 ? again() : setAfter(-1)),
    again,
  };
}

function DeadLetters({ api, flow }: { readonly api: Api; readonly flow: string }) {
  const pages = usePages((after) => api.flowLetters(flow, after, SHOWN), [api, flow]);
  const { page, error } = pages;
  if (isNotThere(error)) return null;
  const isEmpty = page?.events.length === 0;
  return (
    <>
      <h3>Dead letters</h3>
      {error !== undefined && <Failure error={error} />}
      {isEmpty && <p class="empty">{pages.isFirst ? "none" : "none behind these"}</p>}
      {page?.events.map((letter) => (
        <Letter key={letter.id} api={api} flow={flow} letter={letter} onDone={pages.again} />
      ))}
      <SendAll
        api={api}
        flow={flow}
        isOffered={page !== undefined && !(isEmpty && pages.isFirst)}
        onDone={pages.first}
      />
      <Pager {...pages} of={`dead letters of ${flow}`} />
    </>
  );
}

/** What came of sending all of them again, so far. */
interface Progress {
  readonly sent: number;
  readonly refused: number;
  /** Of the first that was refused, or what ended it. */
  readonly error: unknown;
  readonly isOver: boolean;
}

/** Those answers are of one letter; any other would be the same for the next. */
const OF_A_LETTER = [404, 409, 422];

async function sendAll(
  api: Api,
  flow: string,
  isStopped: () => boolean,
  tell: (progress: Progress) => void,
): Promise<void> {
  let progress: Progress = { sent: 0, refused: 0, error: undefined, isOver: false };
  const told = (change: Partial<Progress>): void => tell((progress = { ...progress, ...change }));
  told({});
  try {
    let after = -1;
    // What is refused again gets a new number where it is set aside anew, behind those that there were.
    for (let end = Infinity; after < end - 1 && !isStopped();) {
      const page = await api.flowLetters(flow, after, SENT_OF_A_PAGE);
      if (end === Infinity) end = page.end;
      if (page.events.length === 0) break;
      for (const { id } of page.events) {
        if (id >= end || isStopped()) break;
        try {
          await api.redriveOfFlow(flow, id, crypto.randomUUID());
          told({ sent: progress.sent + 1 });
        } catch (error) {
          if (!(error instanceof RequestError) || !OF_A_LETTER.includes(error.status)) throw error;
          // 404: somebody else was faster.
          if (error.status !== 404) told({ refused: progress.refused + 1, error: progress.error ?? error });
        }
      }
      after = page.events.at(-1)?.id ?? end;
    }
    told({ isOver: true });
  } catch (error) {
    told({ error, isOver: true });
  }
}

interface SendAllProps {
  readonly api: Api;
  readonly flow: string;
  /** There are some. */
  readonly isOffered: boolean;
  onDone(): void;
}

/** Stays where it is while pages come and go: what came of it is to be read. */
function SendAll({ api, flow, isOffered, onDone }: SendAllProps) {
  const [progress, setProgress] = useState<Progress | null>(null);
  const stopped = useRef(false);
  // Who leaves the view ends it.
  useEffect(() => () => void (stopped.current = true), []);
  const start = (): void => {
    stopped.current = false;
    void sendAll(api, flow, () => stopped.current, setProgress).then(onDone);
  };
  const isRunning = progress?.isOver === false;
  return (
    <div class="letter">
      {isRunning && (
        <button type="button" onClick={() => (stopped.current = true)}>
          Stop
        </button>
      )}
      {!isRunning && isOffered && (
        <button type="button" onClick={start}>
          Send all again
        </button>
      )}
      {progress !== null && (
        <p role="status">
          {progress.sent} sent again, {progress.refused} not taken
        </p>
      )}
      {progress !== null && progress.error !== undefined && <Failure error={progress.error} />}
    </div>
  );
}

interface LetterProps {
  readonly api: Api;
  readonly flow: string;
  readonly letter: FlowLetter;
  onDone(): void;
}

function Letter({ api, flow, letter, onDone }: LetterProps) {
  const { id, event: said } = letter;
  return (
    <div class="letter">
      <p>
        {showTime(said.at)} · <strong>{said.sink}</strong>
        {said.key === undefined ? "" : ` under “${said.key}”`} · {whyOf(said)}
      </p>
      <Json value={said.event} label={`Dead letter ${id} of ${flow}`} />
      <LetterActions
        redrive={(key) => api.redriveOfFlow(flow, id, key)}
        remove={(key) => api.deleteOfFlow(flow, id, key)}
        onDone={onDone}
      />
    </div>
  );
}

function whyOf({ refusal, error }: FlowLetter["event"]): string {
  if (refusal !== undefined) {
    const data = refusal.data === undefined || refusal.data === null ? "" : ` ${JSON.stringify(refusal.data)}`;
    return `refused: ${refusal.name}${data}`;
  }
  return error === undefined ? "not taken" : `${error.type}: ${error.message}`;
}

function LateEvents({ api, flow }: { readonly api: Api; readonly flow: string }) {
  const pages = usePages((after) => api.lateEvents(flow, after, SHOWN), [api, flow]);
  const { page, error } = pages;
  if (isNotThere(error)) return null;
  return (
    <>
      <h3>Late events</h3>
      {error !== undefined && <Failure error={error} />}
      {page?.events.length === 0 && <p class="empty">{pages.isFirst ? "none" : "none behind these"}</p>}
      {page !== undefined && page.events.length > 0 && (
        <div class="wide">
          <table aria-label={`Late events of ${flow}`}>
            <thead>
              <tr>
                <th>came</th>
                <th>too late for</th>
                <th>its time</th>
                <th>event</th>
              </tr>
            </thead>
            <tbody>
              {page.events.map(({ id, event }) => (
                <tr key={id}>
                  <td>{showTime(event.at)}</td>
                  <td>{event.input === 0 ? event.operator : `${event.operator}, input ${event.input}`}</td>
                  <td>{showTime(event.time)}</td>
                  <td>{JSON.stringify(event.event)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Pager {...pages} of={`late events of ${flow}`} />
    </>
  );
}
