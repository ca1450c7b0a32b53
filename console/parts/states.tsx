/** What is shown while there is nothing to show, and when something went wrong. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { RequestError } from "../api.ts";

export function Failure({ error }: { readonly error: unknown }) {
  const told =
    error instanceof RequestError ? `${error.status === 0 ? "" : `${error.status}: `}${error.message}` : String(error);
  return (
    <p class="failure" role="alert">
      {told}
    </p>
  );
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

export interface Loaded<T> {
  readonly value: T | undefined;
  readonly error: unknown;
  again(): void;
}

/** What `load` gives, anew when one of `of` changes. */
export function useLoaded<T>(load: () => Promise<T>, of: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ value: T | undefined; error: unknown }>({ value: undefined, error: undefined });
  const [times, setTimes] = useState(0);
  useEffect(() => {
    let isOver = false;
    setState(({ value }) => ({ value: times === 0 ? undefined : value, error: undefined }));
    load().then(
      (value) => !isOver && setState({ value, error: undefined }),
      (error: unknown) => !isOver && setState({ value: undefined, error }),
    );
    return () => {
      isOver = true;
    };
  }, [...of, times]);
  return { ...state, again: () => setTimes((before) => before + 1) };
}
