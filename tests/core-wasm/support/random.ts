/** Seeded randomness for fuzzing, and mutations of byte strings; a failing test prints its seed. */

export interface Random {
  /** An integer from 0 to `below` - 1. */
  int(below: number): number;
  pick<T>(values: readonly T[]): T;
  bytes(length: number): Uint8Array;
}

/** xorshift32; `seed` is any integer but 0. */
export function random(seed: number): Random {
  let state = seed | 0;
  const int = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  return {
    int,
    pick: (values) => values[int(values.length)] as (typeof values)[number],
    bytes: (length) => Uint8Array.from({ length }, () => int(256)),
  };
}

/** A copy with up to `most` changes: a byte replaced, doubled or removed, a part moved, the end cut off. */
export function mutate(bytes: Uint8Array, most: number, { int }: Random, alphabet: Uint8Array): Uint8Array {
  const list = [...bytes];
  for (let changes = int(most + 1); changes > 0 && list.length > 0; changes--) {
    const at = int(list.length);
    const kind = int(6);
    if (kind === 0) list[at] = int(256);
    else if (kind === 1) list[at] = alphabet[int(alphabet.length)] as number;
    else if (kind === 2) list.splice(at, 0, alphabet[int(alphabet.length)] as number);
    else if (kind === 3) list.splice(at, 1);
    else if (kind === 4) list.splice(int(list.length), 0, ...list.slice(at, at + 1 + int(8)));
    else if (int(4) === 0) list.length = at;
  }
  return Uint8Array.from(list);
}
