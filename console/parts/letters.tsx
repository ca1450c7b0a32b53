/** What lists of dead letters and of other events that were set aside have in common. */
import { useRef, useState } from "preact/hooks";
import { RequestError } from "../api.ts";
import { Failure } from "./states.tsx";

interface PagerProps {
  /** Of what there are pages. */
  readonly of: string;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** Leads to the first page, or loads it again. */
  first(): void;
  next(): void;
}

export function Pager({ of, isFirst, isLast, first, next }: PagerProps) {
  return (
    <nav class="actions" aria-label={`Pages of ${of}`}>
      <button type="button" class="quiet" onClick={first}>
        {isFirst ? "Look again" : "First page"}
      </button>
      {!isLast && (
        <button type="button" class="quiet" onClick={next}>
          Next page
        </button>
      )}
    </nav>
  );
}

interface ActionsProps {
  /** Both under an Idempotency-Key. */
  redrive(key: string): Promise<unknown>;
  remove(key: string): Promise<unknown>;
  onDone(): void;
}

/** Buttons that send a letter again and, when that is said twice, delete it. */
export function LetterActions({ redrive, remove, onDone }: ActionsProps) {
  const [error, setError] = useState<unknown>();
  const [isAsked, setAsked] = useState(false);
  const act = useActs(onDone, setError);
  return (
    <>
      <div class="actions">
        <button type="button" onClick={() => act(redrive)}>
          Send again
        </button>
        <button type="button" class="quiet" onClick={() => (isAsked ? act(remove) : setAsked(true))}>
          {isAsked ? "Delete it for good" : "Delete"}
        </button>
      </div>
      {error !== undefined && <Failure error={error} />}
    </>
  );
}

/** Does one thing at a time, once: what got no answer is asked again under the same Idempotency-Key. */
function useActs(
  onDone: () => void,
  onError: (error: unknown) => void,
): (what: (key: string) => Promise<unknown>) => void {
  const key = useRef("");
  const isBusy = useRef(false);
  return (what) => {
    if (isBusy.current) return;
    isBusy.current = true;
    key.current ||= crypto.randomUUID();
    what(key.current)
      .then(onDone, (error: unknown) => {
        if (!(error instanceof RequestError) || error.status !== 0) key.current = "";
        onError(error);
      })
      .finally(() => (isBusy.current = false));
  };
}
