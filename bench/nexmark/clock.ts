/** Header by which the driver sets the app's clock, in ms since 1970; empty for the real one again. */
export const CLOCK_HEADER = "bench-clock";
