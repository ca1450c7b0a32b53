/** `tidegate/worker`: the edge by itself, for those who put an app together in another way than `tidegate()` does. It may change with minor versions. */
export type { Backend } from "./backend.ts";
export { platformBackend } from "./platform.ts";
export { createRoutes } from "./routes.ts";
