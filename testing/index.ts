/** `tidegate/testing`: an app in this process, with the simulator's clock and faults, and no server. */
export type { Crashed, TestDomain } from "./domain.ts";
export { testApp } from "./simulated/app.ts";
export type { TestApp, TestAppOptions, TestLog } from "./simulated/app.ts";
