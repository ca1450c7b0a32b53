/** What the compiler must accept and refuse in clients: each refused line names the error code that it must cause. */

import { createClient, RefusalError } from "../../sdk/client/index.ts";
import { Account, Books, Cart, Ticket, type z } from "./contracts.ts";

const client = createClient("http://localhost:8787", { Account, Books, Cart }, { token: "t" });
const total: number = await client.account("alice").deposit({ amount: 5 });
const { paid } = await client.shoppingCart("a").checkout();
const items: Array<{ item: string; count: number }> = await client.shoppingCart("a").items();
const since: { opened: string; total: string } = await client
  .account("alice")
  .since(undefined, { consistency: "snapshot" });
const nothing: null = await client.account("alice").transfer({ to: "b", amount: 1 }, { idempotencyKey: "k" });
console.log(total + paid, items, since, nothing, await client.shoppingCart("a").add({ item: "pen" }));

await client.books("2027").book({ on: "2027-01-01" });
await client.books("2027").reopen({ on: new Date(), lines: [["a", 1]], any: new Date() });

await client.account("alice").deposit.send({ amount: 1 }, { delay: "30s" });
await client.account("alice").deposit.send({ amount: 1 }, { at: new Date() });
// JSON of any form comes as what it is.
const tickets = createClient("http://localhost:8787", { Ticket });
type Notes = z.infer<ReturnType<typeof z.json>>;
const notes: Notes = await tickets.ticket("a").notes({ list: [1, { a: null }] });
const dated: { notes: Notes; at: string } | null = await tickets.ticket("a").dated();
const noted = await tickets.ticket("a").notes.try(notes);
if (!noted.ok) noted.data.why satisfies Notes | undefined;
(await tickets.ticket("a").status()) satisfies "open" | "closed";
console.log(dated);

const cancelled: boolean = await client.cancel("m1");
for await (const { id, event } of client.stream("sales").read({ after: "-1" }))
  console.log(cancelled, id, event["amount"]);

const tried = await client.account("alice").transfer.try({ to: "b", amount: 1 });
if (tried.ok) tried.value satisfies null;
else if (tried.refusal === "insufficient-funds") tried.data.balance satisfies number;
else tried satisfies { refusal: "frozen"; data: null };

const plain = await client.account("alice").deposit.try({ amount: 1 });
plain.ok satisfies true;

try {
  await client.account("alice").transfer({ to: "b", amount: 1 });
} catch (error) {
  if (error instanceof RefusalError && error.is(Account, "transfer", "insufficient-funds"))
    error.data.balance satisfies number;
}

const sent: { readonly id: string } = await client
  .account("alice")
  .deposit.send({ amount: 1 }, { idempotencyKey: "k" });
console.log(sent.id, await client.shoppingCart("a").checkout.send());

const listed = createClient("http://localhost:8787", [Account, Cart]);
await listed.shoppingCart("a").checkout();

for await (const result of client.batch([
  { service: "account", key: "alice", function: "deposit", input: { amount: 1 } },
  { service: "shopping-cart", key: "a", function: "checkout", id: "one" },
])) {
  if ("problem" in result) result.problem.type satisfies string;
  else result.result satisfies unknown;
}

// @ts-expect-error TS2551: a wrong service
client.acount("alice");
// @ts-expect-error TS2345: a wrong key type
client.account(7);
// @ts-expect-error TS2339: a wrong function
client.account("alice").withdraw({ amount: 1 });
// @ts-expect-error TS2554: a missing argument
client.account("alice").deposit();
// @ts-expect-error TS2322: a wrong argument
client.account("alice").deposit({ amount: "1" });
// @ts-expect-error TS2353: an unknown argument member
client.account("alice").deposit({ amount: 1, currency: "EUR" });
// @ts-expect-error TS2345: an argument where none is taken
client.account("alice").balance({});
// @ts-expect-error TS2741: a Date where only a Date is taken: what comes over HTTP is text
client.books("2027").close({ on: new Date() });
// @ts-expect-error TS2322: text where a Date is taken
client.books("2027").close({ on: "2027-01-01" });
// @ts-expect-error TS2741: a Map, of which JSON would be nothing
client.books("2027").book({ on: "2027-01-01", lines: new Map([["a", 1n]]) });
// @ts-expect-error TS2741: a Date in a batch
client.batch([{ service: "books", key: "2027", function: "close", input: { on: new Date() } }]);
// @ts-expect-error TS2339: a message to a query
client.account("alice").balance.send();
// @ts-expect-error TS2322: a message with a wrong argument
client.account("alice").deposit.send({ amount: "1" });
// @ts-expect-error TS1360: a wrong use of the result
(await client.account("alice").balance()) satisfies string;
// @ts-expect-error TS2322: a Date does not come over HTTP as a Date
const opened: Date = (await client.account("alice").since()).opened;
// @ts-expect-error TS2367: an undeclared refusal
if (!tried.ok && tried.refusal === "unknown") throw opened;
// @ts-expect-error TS18047: data of one refusal before its name is known
if (!tried.ok) void tried.data.balance;
// @ts-expect-error TS2339: a value before it is known to be there
void tried.value;
// @ts-expect-error TS2345: an undeclared refusal in a catch
if (tried instanceof RefusalError) tried.is(Account, "transfer", "unknown");
// @ts-expect-error TS2820: a batch line for an unknown service
client.batch([{ service: "acount", key: "alice", function: "balance" }]);
// @ts-expect-error TS2322: a batch line for an unknown function
client.batch([{ service: "account", key: "alice", function: "withdraw" }]);
// @ts-expect-error TS2322: a batch line with a wrong input
client.batch([{ service: "account", key: "alice", function: "deposit", input: { amount: "1" } }]);
// @ts-expect-error TS2322: a batch line without its input
client.batch([{ service: "account", key: "alice", function: "deposit" }]);
// @ts-expect-error TS2741: not a contract
createClient("http://localhost:8787", { account: { name: "account" } });
