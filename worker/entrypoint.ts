/** The app for other Workers of the account: one method, called through a service binding. */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { Hono } from "hono";
import type { BoundRequest } from "../sdk/client/binding.ts";

/** What a binding to it can be asked. */
export interface ServicesRpc {
  /** What the client asks for; answered as the same request over HTTP would be. */
  ask(request: BoundRequest): Promise<Response>;
}

/** Routes are looked up by path; the host is never looked at. */
const HOST = "http://binding";

/**
 * The class to export as `Services` for an app. Who has a binding to it is the owner of the account, so a request without a token of its
 * own is the owner's; one with a token is whose that is.
 */
export function servicesClass(
  routes: Hono,
): new (ctx: ExecutionContext, env: unknown) => WorkerEntrypoint & ServicesRpc {
  return class Services extends WorkerEntrypoint implements ServicesRpc {
    constructor(ctx: ExecutionContext, env: unknown) {
      super(ctx, env as never);
    }

    async ask({ method, path, headers, body }: BoundRequest): Promise<Response> {
      const { TIDEGATE_TOKEN: token } = this.env as { TIDEGATE_TOKEN?: string };
      const all = new Headers(headers);
      if (!all.has("authorization") && token) all.set("authorization", `Bearer ${token}`);
      const init = { method, headers: all, ...(body === undefined ? {} : { body: body as BodyInit }) };
      return routes.fetch(new Request(HOST + path, init), this.env as object, this.ctx);
    }
  };
}
