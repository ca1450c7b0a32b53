/** Serves a bundled app in miniflare: workerd with durable storage on disk. */
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import type { Bundle } from "./bundle.ts";

export interface ServerOptions {
  readonly bundle: Bundle;
  readonly port: number;
  /** Folder of the persistent state; memory only when absent. */
  readonly persist?: string;
  /** Bearer token that the app asks for, of callers and, on this machine, of administrators. */
  readonly token: string;
  readonly host?: string;
  /** Further bindings: texts. */
  readonly bindings?: Readonly<Record<string, string>>;
}

export interface LocalServer {
  readonly url: string;
  /** Runs the module in the server's isolate afresh with another bundle; storage stays. */
  reload(bundle: Bundle): Promise<void>;
  stop(): Promise<void>;
}

const COMPATIBILITY_DATE = "2026-10-01";

function miniflareOptions(options: ServerOptions): ReturnType<typeof convertV4MiniflareOptions> {
  return convertV4MiniflareOptions({
    host: options.host ?? "127.0.0.1",
    port: options.port,
    log: new Log(LogLevel.ERROR),
    cf: false,
    modules: options.bundle.modules.map(({ name, type, contents }) => ({ type, path: name, contents })),
    compatibilityDate: COMPATIBILITY_DATE,
    bindings: { ...options.bindings, TIDEGATE_TOKEN: options.token, TIDEGATE_ADMIN_TOKEN: options.token },
    durableObjects: {
      PARTITION: { className: "Partition", useSQLite: true },
      COORDINATOR: { className: "Coordinator", useSQLite: true },
    },
    ...(options.persist === undefined ? {} : { resourcePersistencePath: options.persist }),
  });
}

/** Resolves when the server accepts requests. */
export async function serve(options: ServerOptions): Promise<LocalServer> {
  const miniflare = new Miniflare(miniflareOptions(options));
  const url = (await miniflare.ready).origin;
  return {
    url,
    reload: async (bundle) => miniflare.setOptions(miniflareOptions({ ...options, bundle })),
    stop: () => miniflare.dispose(),
  };
}
