/** The clock of this isolate, moved forward: objects, Worker and tests share it. */

let shift = 0;

/** Moves the clock on by so many milliseconds. It goes on from there, and never back. */
export function shiftClock(ms: number): void {
  if (shift === 0 && ms > 0) install();
  shift += ms;
}

function install(): void {
  const RealDate = globalThis.Date;
  globalThis.Date = class extends RealDate {
    constructor(...given: [] | [number | string | Date]) {
      if (given.length === 0) super(RealDate.now() + shift);
      else super(...(given as [number]));
    }

    static override now(): number {
      return RealDate.now() + shift;
    }
  } as DateConstructor;
}
