/** Finds the command that was asked for, and turns what becomes of it into an exit code. */
import { parseArgs } from "node:util";
import { type Command, EXIT, Failure, type Given, type Options, type Terminal, UsageError } from "./command.ts";
import { COMMANDS } from "./commands.ts";

const HELP_OPTION: Options = { help: { type: "boolean", help: "says this" } };

/** Runs one command line, without the program's own name. Never throws. @returns the exit code */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    terminal.out(overview());
    return name === undefined ? EXIT.usage : EXIT.done;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    terminal.err(`there is no command "${name}"; npx tidegate --help lists them`);
    return EXIT.usage;
  }
  try {
    const given = parse(command, rest);
    if (given.values["help"] === true) {
      terminal.out(helpOf(name, command));
      return EXIT.done;
    }
    const [least, most] = command.takes;
    const count = given.positionals.length;
    if (count < least || count > most) throw new UsageError(`usage: tidegate ${name} ${command.usage}`);
    return await command.run(given, terminal);
  } catch (error) {
    return complain(name, error, terminal);
  }
}

function parse(command: Command, args: readonly string[]): Given {
  const options = Object.fromEntries(
    Object.entries({ ...command.options, ...HELP_OPTION }).map(([name, { type }]) => [name, { type }]),
  );
  const given = parsed(args, options);
  // Most likely a variable that is not set, and what it stands for was wanted.
  const empty = Object.keys(given.values).find((name) => given.values[name] === "");
  if (empty !== undefined) throw new UsageError(`--${empty} has no value`);
  return given;
}

function parsed(args: readonly string[], options: Readonly<Record<string, Pick<Options[string], "type">>>): Given {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function complain(name: string, error: unknown, terminal: Terminal): number {
  if (error instanceof UsageError) {
    terminal.err(`${error.message}\nnpx tidegate ${name} --help tells more`);
    return EXIT.usage;
  }
  if (error instanceof Failure) terminal.err(error.message);
  // Not expected: the stack is what a report needs.
  else terminal.err(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return EXIT.failed;
}

function overview(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}   ${summary}`);
  return `usage: npx tidegate <command> [options]

${lines.join("\n")}

npx tidegate <command> --help tells the options of one. Exit codes: 0 done, 1 it did not work, 2 the command line makes no sense.`;
}

function helpOf(name: string, { usage, summary, options, details }: Command): string {
  const all = Object.entries({ ...options, ...HELP_OPTION });
  const heads = all.map(([option, { value }]) => `--${option}${value === undefined ? "" : ` ${value}`}`);
  const width = Math.max(...heads.map((head) => head.length));
  const lines = all.map(([, { help }], at) => `  ${(heads[at] as string).padEnd(width)}   ${help}`);
  return [`usage: npx tidegate ${name} ${usage}`, "", summary, "", ...lines, ...(details ? ["", details] : [])].join(
    "\n",
  );
}
