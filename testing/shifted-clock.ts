/** The clock of this isolate, moved forward: objects, Worker and tests share it. */

let shift = 0;

/** Moves the clock on by so many milliseconds. It goes on from there, and never back. */
export function shiftClock(ms: number): void {
  if (shift === 0 && ms > 0) install();
  shift += ms;
}

/** The same class, told another time: dates that were made before, or elsewhere, are dates as before. */
function install(): void {
  const RealDate = globalThis.Date;
  const realNow = RealDate.now;
  const now = (): number => realNow() + shift;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, given: unknown[], made) =>
      Reflect.construct(target, given.length === 0 ? [now()] : given, made) as Date,
    apply: () => new RealDate(now()).toString(),
    // What a test has put in its place stays there.
    get: (target, name) => (name === "now" && target.now === realNow ? now : (Reflect.get(target, name) as unknown)),
  });
  RealDate.prototype.constructor = globalThis.Date;
}
