/** After each run every account is read and compared with the client's ledger; a run that breaks an invariant has no figure. */
import { type HttpConnection } from "../lib/http-connection.ts";
import { withConnections } from "../lib/drive.ts";
import { accountName, START_BALANCE } from "./accounts.ts";
import type { Ledger, Statement } from "./ledger.ts";
import { batchRequest } from "./requests.ts";

/** Accounts read by one batch of queries. */
const READ_LINES = 2_000;
const READERS = 4;
/** Wrong accounts that the error names. */
const NAMED = 5;

interface Line {
  readonly line: number;
  readonly status: number;
  readonly result: Statement;
}

/** @throws Error when the sum has changed, or an account differs from the replay of the acknowledged transfers */
export async function audit(port: number, ledger: Ledger): Promise<void> {
  const statements = await readAll(port, ledger.accounts);
  const wrong: string[] = [];
  let sum = 0;
  for (let account = 0; account < ledger.accounts; account++) {
    const is = statements[account] as Statement;
    const expected = ledger.expected(account);
    sum += is.balance - START_BALANCE;
    if (is.balance !== expected.balance || is.sent !== expected.sent || is.received !== expected.received)
      wrong.push(`${accountName(account)} is ${JSON.stringify(is)}, not ${JSON.stringify(expected)}`);
  }
  if (wrong.length > 0)
    throw new Error(`${wrong.length} accounts are not as acknowledged: ${wrong.slice(0, NAMED).join("; ")}`);
  if (sum !== 0) throw new Error(`the sum of all balances has changed by ${sum}`);
}

async function readAll(port: number, accounts: number): Promise<Statement[]> {
  const statements: Statement[] = new Array<Statement>(accounts);
  let next = 0;
  const reader = async (connection: HttpConnection): Promise<void> => {
    while (next < accounts) {
      const first = next;
      next += READ_LINES;
      await readSome(connection, first, Math.min(next, accounts), statements);
    }
  };
  await withConnections(port, READERS, async (open) => Promise.all(open.map(reader)));
  return statements;
}

async function readSome(connection: HttpConnection, first: number, end: number, into: Statement[]): Promise<void> {
  let body = "";
  for (let account = first; account < end; account++)
    body += `{"service":"account","key":"${accountName(account)}","function":"statement"}\n`;
  const answer = await connection.post(batchRequest(Buffer.from(body)));
  let read = 0;
  for (const text of answer.body.toString().trimEnd().split("\n")) {
    const { line, status, result } = JSON.parse(text) as Line;
    if (status !== 200) throw new Error(`a statement was answered ${status}: ${text}`);
    into[first + line - 1] = result;
    read += 1;
  }
  if (read !== end - first) throw new Error(`${read} statements of ${end - first} were answered`);
}
