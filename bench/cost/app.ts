/** The accounts of the transfers benchmark, and two routes that show what their objects have used. */
import { exports } from "cloudflare:workers";
import { usageFigures } from "../../durable/usage.ts";
import transfers from "../transfers/app.ts";

export { Coordinator, Partition } from "../transfers/app.ts";

interface Asked {
  usage(): Promise<unknown>;
}
interface Namespace {
  getByName(name: string): Asked;
}

/** Asks each object itself, which starts those that hibernate. */
async function ask(names: readonly string[]): Promise<Record<string, unknown>> {
  const { Partition, Coordinator } = exports as unknown as { Partition: Namespace; Coordinator: Namespace };
  const entries = names.map(async (name) => {
    const object = (name === "coordinator" ? Coordinator : Partition).getByName(name);
    return [name, await object.usage()] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    // The Worker and its objects share an isolate here, so that their figures are at hand without a call.
    if (pathname === "/usage") return Response.json(usageFigures());
    if (pathname === "/ask") return Response.json(await ask(Object.keys(usageFigures())));
    return transfers.fetch!(request, env, ctx);
  },
} satisfies ExportedHandler<unknown>;
