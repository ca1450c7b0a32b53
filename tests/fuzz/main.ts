/** `npm run fuzz -- <what>`: random inputs for the kernels, held against judges that share no code with them, for as long as asked. */
import { parseArgs } from "node:util";
import { fuzz, type Rounds } from "./run.ts";
import { TARGETS } from "./targets.ts";

const names = Object.keys(TARGETS);
const HELP = `Usage: npm run fuzz -- <what> [--minutes M] [--rounds N] [--seed S]

${names.map((name) => `  ${name.padEnd(10)}${TARGETS[name]?.what}`).join("\n")}
  all       each of them in turn

  --minutes M  ends after so long (default 5), each
  --rounds N   ends after so many rounds
  --seed S     seed of the first round (default 1); a failure names the seed of its round, and shows what failed, made smaller where it can be
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "5" },
    rounds: { type: "string", default: "1000000000" },
    seed: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});
const what = positionals[0] ?? "";
const chosen = what === "all" ? names : names.filter((name) => name === what);
if (values.help || chosen.length === 0) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}
for (const name of chosen) {
  const options: Rounds = {
    seed: Number(values.seed),
    rounds: Number(values.rounds),
    milliseconds: Number(values.minutes) * 60_000,
    progress: ({ documents, seed }) => console.log(`${name}: ${documents} cases, seed ${seed}`),
  };
  const round = TARGETS[name]?.begin(options.seed);
  if (!round) continue;
  const { rounds, documents } = fuzz(options, round);
  console.log(`${name}: ${documents} cases in ${rounds} rounds, all as they should be`);
}
