/** The baseline: a hand-written Durable Object that reads and writes one row per call, behind a Hono Worker. */
import { DurableObject, env, exports } from "cloudflare:workers";
import { Hono } from "hono";

const OBJECTS = Number((env as { readonly OBJECTS?: string }).OBJECTS ?? 4);

export class Bare extends DurableObject {
  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env as never);
    ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS accounts (key TEXT PRIMARY KEY, balance REAL NOT NULL) WITHOUT ROWID",
    );
  }

  deposit(key: string, amount: number): number {
    const { sql } = this.ctx.storage;
    const query =
      "INSERT INTO accounts VALUES (?, ?) ON CONFLICT DO UPDATE SET balance = balance + excluded.balance RETURNING balance";
    return sql.exec<{ balance: number }>(query, key, amount).one().balance;
  }

  nothing(): number {
    return 0;
  }
}

function objectOf(key: string): { deposit(key: string, amount: number): Promise<number>; nothing(): Promise<number> } {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) >>> 0;
  const { Bare: namespace } = exports as unknown as { Bare: { getByName(name: string): ReturnType<typeof objectOf> } };
  return namespace.getByName(`bare-${hash % OBJECTS}`);
}

const routes = new Hono();
routes.get("/health", (c) => c.text("ok"));
routes.post("/accounts/:key/deposit", async (c) => {
  const { amount } = await c.req.json<{ amount: number }>();
  const key = c.req.param("key");
  return c.json(await objectOf(key).deposit(key, amount));
});
routes.post("/accounts/:key/nothing", async (c) => c.json(await objectOf(c.req.param("key")).nothing()));

export default routes;
