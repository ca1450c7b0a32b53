/** Accounts are read and compared with the client's ledger, after each run those that it used; a run that breaks an invariant has no figure. */
import { type HttpConnection } from "../lib/http-connection.ts";
import { withConnections } from "../lib/drive.ts";
import { accountName, START_BALANCE } from "./accounts.ts";
import type { Ledger, Statement } from "./ledger.ts";
import { queriesRequest } from "./requests.ts";

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

/**
 * Reads the accounts that took part in the run.
 * @throws Error when one differs from the replay of the acknowledged transfers
 */
export async function auditRun(port: number, ledger: Ledger): Promise<void> {
  await auditAccounts(port, ledger, ledger.takeTouched());
}

/**
 * Reads all accounts, those that no transfer named included.
 * @throws Error when one differs from the replay, or the sum of all has changed
 */
export async function auditAll(port: number, ledger: Ledger): Promise<void> {
  const all = Array.from({ length: ledger.accounts }, (_, account) => account);
  const sum = await auditAccounts(port, ledger, all);
  if (sum !== ledger.accounts * START_BALANCE)
    throw new Error(`the sum of all balances has changed by ${sum - ledger.accounts * START_BALANCE}`);
}

/** Returns the sum of their balances. */
async function auditAccounts(port: number, ledger: Ledger, accounts: readonly number[]): Promise<number> {
  const statements = await readStatements(port, accounts);
  const wrong: string[] = [];
  let sum = 0;
  for (const [index, account] of accounts.entries()) {
    const is = statements[index] as Statement;
    const expected = ledger.expected(account);
    sum += is.balance;
    if (is.balance !== expected.balance || is.sent !== expected.sent || is.received !== expected.received)
      wrong.push(`${accountName(account)} is ${JSON.stringify(is)}, not ${JSON.stringify(expected)}`);
  }
  if (wrong.length === 0) return sum;
  throw new Error(`${wrong.length} accounts are not as acknowledged: ${wrong.slice(0, NAMED).join("; ")}`);
}

async function readStatements(port: number, accounts: readonly number[]): Promise<Statement[]> {
  const statements = new Array<Statement>(accounts.length);
  let next = 0;
  const reader = async (connection: HttpConnection): Promise<void> => {
    while (next < accounts.length) {
      const first = next;
      next += READ_LINES;
      const some = await readSome(connection, accounts.slice(first, first + READ_LINES));
      for (const [index, statement] of some.entries()) statements[first + index] = statement;
    }
  };
  await withConnections(port, READERS, async (open) => Promise.all(open.map(reader)));
  return statements;
}

async function readSome(connection: HttpConnection, accounts: readonly number[]): Promise<Statement[]> {
  const lines = accounts.map(
    (account) => `{"service":"account","key":"${accountName(account)}","function":"statement"}`,
  );
  const answer = await connection.post(queriesRequest(lines.join("\n")));
  const statements = new Map<number, Statement>();
  for (const text of answer.body.toString().trimEnd().split("\n")) {
    const { line, status, result } = JSON.parse(text) as Line;
    if (status !== 200) throw new Error(`a statement was answered ${status}: ${text}`);
    statements.set(line, result);
  }
  return accounts.map((account, index) => {
    const statement = statements.get(index + 1);
    if (statement) return statement;
    throw new Error(`no statement of ${accountName(account)} was answered`);
  });
}
