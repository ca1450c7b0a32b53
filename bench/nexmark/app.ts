/** All queries of Nexmark as one app; each has streams of its own, so that an event runs through one query alone. */
import { tidegate } from "../../index.ts";
import { CLOCK_HEADER } from "./clock.ts";
import { DISCARDING } from "./flows/discarding.ts";
import { QUERIES } from "./flows/queries.ts";
import { unread } from "./flows/streams.ts";

const app = tidegate({
  services: [],
  flows: [...QUERIES, ...DISCARDING].map(({ flow }) => flow),
  streams: QUERIES.filter(({ reads }) => !reads.includes("bid")).map(({ name }) => unread(name)),
  partitions: 4,
});
export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}

/** The injected clock: once a request has set it, it stands until the next one does. Worker and objects are in one isolate here. */
const real = Date.now.bind(Date);
let set: number | undefined;
Date.now = () => set ?? real();

export default {
  fetch(request, env, context) {
    const clock = request.headers.get(CLOCK_HEADER);
    if (clock !== null) set = clock === "" ? undefined : Number(clock);
    return app.routes.fetch(request, env as object, context);
  },
} satisfies ExportedHandler<unknown>;
