/** The part of an address behind its path. */

/** Parameters with the `?` before them, those left out that are undefined; empty where there are none. */
export function searchOf(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given as Array<[string, string]>).toString()}`;
}
