/** Where the page is, in the part of the address behind `#`. */
import { useLayoutEffect, useState } from "preact/hooks";

/** Segments of `#/a/b`, decoded. */
export function useRoute(): readonly string[] {
  const [route, setRoute] = useState(read);
  // Together with the first rendering: an effect behind the frame would not hear of an address that changes before that is painted.
  useLayoutEffect(() => {
    const changed = (): void => setRoute(read());
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return route;
}

function read(): readonly string[] {
  try {
    return location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  } catch {
    return [""];
  }
}

export function linkTo(...segments: readonly string[]): string {
  return `#/${segments.map(encodeURIComponent).join("/")}`;
}
