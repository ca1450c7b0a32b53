/** `tidegate/verify`: what an app has to have so that `npx tidegate verify` can check the place where it is deployed. */
export { verification } from "./services.ts";
