/** What is shown while there is nothing to show, and when something went wrong. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { RequestError } from "../api.ts";

const EVERY_MS = 2_000;

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
  readonly isLoading: boolean;
  again(): void;
}

/** What `load` gives, anew when one of `of` changes. */
export function useLoaded<T>(load: () => Promise<T>, of: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<Omit<Loaded<T>, "again">>({ value: undefined, error: undefined, isLoading: true });
  const [times, setTimes] = useState(0);
  useEffect(() => {
    let isOver = false;
    setState(({ value }) => ({ value: times === 0 ? undefined : value, error: undefined, isLoading: true }));
    load().then(
      (value) => !isOver && setState({ value, error: undefined, isLoading: false }),
      (error: unknown) => !isOver && setState({ value: undefined, error, isLoading: false }),
    );
    return () => {
      isOver = true;
    };
  }, [...of, times]);
  return { ...state, again: () => setTimes((before) => before + 1) };
}

/** As {@link useLoaded}, and again every now and then while somebody looks: some time after the last answer, however long that took. */
export function usePolled<T>(load: () => Promise<T>, of: readonly unknown[]): Omit<Loaded<T>, "again"> {
  const { again, ...loaded } = useLoaded(load, of);
  useEffect(() => {
    if (loaded.isLoading) return;
    const timer = window.setInterval(() => !document.hidden && again(), EVERY_MS);
    return () => window.clearInterval(timer);
  }, [...of, loaded.isLoading]);
  return loaded;
}
