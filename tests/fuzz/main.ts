/** `npm run fuzz -- <what>`: random inputs for the kernels, held against judges that share no code with them, for as long as asked. */
import { parseArgs } from "node:util";
import { random } from "../core-wasm/support/random.ts";
import { framesFuzz } from "./frames.ts";
import { jsonFuzz } from "./json.ts";
import { fuzz, type Rounds } from "./run.ts";

const HELP = `Usage: npm run fuzz -- <what> [--minutes M] [--rounds N] [--seed S]

  json    event bodies, generated and mutated, in every format: accepted as JSON.parse accepts them, with its values, wherever they
          are cut; and what would take memory, stack or time
  frames  columns frames, damaged and sealed again: split as their twin splits them, or refused

  --minutes M  ends after so long (default 5)
  --rounds N   ends after so many rounds, of some sixty documents each
  --seed S     seed of the first round (default 1); a failure names the seed of its round
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
const options: Rounds = {
  seed: Number(values.seed),
  rounds: Number(values.rounds),
  milliseconds: Number(values.minutes) * 60_000,
  progress: ({ documents, seed }) => console.log(`${documents} documents, seed ${seed}`),
};

/** Rounds between two looks at what would take memory, stack or time. */
const EXTREMES_EVERY = 10_000;

const subjects: Record<string, () => Parameters<typeof fuzz>[1]> = {
  json: () => {
    const subject = jsonFuzz();
    return (source, seed) =>
      subject.round(source) + ((seed - options.seed) % EXTREMES_EVERY === 0 ? subject.extremes(random(seed)) : 0);
  },
  frames: () => framesFuzz(),
};

const subject = subjects[positionals[0] ?? ""];
if (values.help || !subject) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}
const { rounds, documents } = fuzz(options, subject());
console.log(`${documents} documents in ${rounds} rounds: all as they should be`);
